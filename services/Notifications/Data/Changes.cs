using System.Linq.Expressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Data;

internal static class Changes
{
    /// <summary>
    /// Saves a changed resource. Returns the problem to answer with when another request was faster: 412 after a change, 404 after a deletion.
    /// </summary>
    public static async Task<ProblemHttpResult?> SaveChangedAsync<T>(
        this NotificationsDb db, string what, T resource, Expression<Func<T, Guid>> id, Expression<Func<T, long>> version, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return null;
        }
        catch (DbUpdateConcurrencyException)
        {
            var key = id.Compile()(resource);
            var same = Expression.Lambda<Func<T, bool>>(Expression.Equal(id.Body, Expression.Constant(key)), id.Parameters);
            var current = await db.Set<T>().AsNoTracking().Where(same).Select(version).Cast<long?>().SingleOrDefaultAsync(cancellationToken);
            return current is null ? Problems.NotFound(what, key) : Problems.PreconditionFailed(current.Value);
        }
    }
}

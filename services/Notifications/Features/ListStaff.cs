using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

internal static class ListStaff
{
    private static readonly Paging s_paging = new("staff");

    /// <summary>List staff, oldest first</summary>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page.</param>
    public static async Task<Results<Ok<Page<StaffResponse>>, ProblemHttpResult>> HandleAsync(
        int? limit, string? cursor, NotificationsDb db, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } unreadable)
        {
            return unreadable;
        }

        var staff = db.Staff.AsNoTracking();
        staff = after is null ? staff : staff.Where(s => s.Id > after);
        var rows = await staff.OrderBy(s => s.Id).Take(take + 1).Select(StaffResponse.Projection).ToListAsync(cancellationToken);
        return TypedResults.Ok(s_paging.ToPage(rows, take, s => s.Id));
    }
}

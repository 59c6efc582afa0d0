using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.Features;

public static class CountNotifications
{
    /// <summary>Maximum number of notifications that are counted: the newest ones.</summary>
    private const int MaxNotifications = 100_000;

    /// <param name="Counts">A number for each of <c>pending</c>, <c>sent</c> and <c>failed</c>, also when it is 0.</param>
    /// <param name="Total">Their sum.</param>
    /// <param name="IsComplete">False when there are more: then only the newest 100,000 were counted.</param>
    public sealed record Response(IReadOnlyDictionary<string, long> Counts, long Total, bool IsComplete);

    /// <summary>Count notifications by status</summary>
    /// <param name="createdFrom">Only those recorded at this time or later; the last seven days when left out.</param>
    /// <param name="db">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    /// <response code="200">At most the newest 100,000 are counted.</response>
    public static async Task<Ok<Response>> HandleAsync(DateTimeOffset? createdFrom, NotificationsDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var from = createdFrom?.ToUniversalTime() ?? time.GetUtcNow().AddDays(-7);
        // Ids increase with time. The hour allows for clocks that differ.
        var first = DatabaseValues.FirstIdOf(from.ToUnixTimeMilliseconds() - 3_600_000);
        var found = await db.Notifications.AsNoTracking().Where(n => n.CreatedAt >= from && n.Id >= first)
            .OrderByDescending(n => n.Id).Take(MaxNotifications)
            .GroupBy(n => n.Status).Select(g => new { g.Key, Count = g.LongCount() }).ToListAsync(cancellationToken);
        var counts = Enum.GetValues<NotificationStatus>().ToDictionary(
            status => NotificationsDb.Name(status), status => found.Where(f => f.Key == status).Sum(f => f.Count));
        var total = counts.Values.Sum();
        return TypedResults.Ok(new Response(counts, total, total < MaxNotifications));
    }
}

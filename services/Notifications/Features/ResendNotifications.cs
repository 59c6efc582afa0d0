using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

public static class ResendNotifications
{
    /// <summary>Most notifications of one request.</summary>
    private const int MaxAtOnce = 100;

    /// <summary>Which notifications: by id, or all that fit the rest.</summary>
    /// <param name="Ids">1 to 100 ids; nothing else is asked for then.</param>
    /// <param name="Template">Of this template.</param>
    /// <param name="Channel">By this channel.</param>
    /// <param name="CreatedFrom">Recorded then or later.</param>
    /// <param name="CreatedTo">Recorded before.</param>
    [Example("""{"template": "order-confirmed", "createdFrom": "2026-11-28T08:00:00Z", "createdTo": "2026-11-28T09:00:00Z"}""")]
    public sealed record Request(
        IReadOnlyList<Guid>? Ids = null, string? Template = null, NotificationChannel? Channel = null, DateTimeOffset? CreatedFrom = null, DateTimeOffset? CreatedTo = null);

    /// <param name="Resent">Due at once, with a new round of attempts.</param>
    /// <param name="Refused">Ids of which none is due: there is no such notification, or a later message of the order has been sent to the customer.</param>
    /// <param name="HasMore">Whether more of them fit than are done in one request; send it again.</param>
    public sealed record Response(int Resent, IReadOnlyList<Guid> Refused, bool HasMore);

    /// <summary>Sends failed notifications again.</summary>
    /// <remarks>
    /// The oldest 100 that have failed and fit, or those that are named, whatever their status. Overtaken ones are left as they are and named in
    /// <c>refused</c>; narrow the filter to get past a hundred of them.
    /// </remarks>
    /// <param name="request">Which.</param>
    /// <param name="db">The database.</param>
    /// <param name="signal">Wakes the sender.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    /// <response code="200">What was done.</response>
    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        Request request, NotificationsDb db, SendSignal signal, CancellationToken cancellationToken)
    {
        if (request.Ids is not null and not { Count: >= 1 and <= MaxAtOnce })
        {
            return Problems.MalformedRequest("$.ids", string.Create(CultureInfo.InvariantCulture, $"1 to {MaxAtOnce} ids are required."));
        }

        var ids = request.Ids?.Distinct().ToList() ?? await FindAsync(request, db, cancellationToken);
        var hasMore = ids.Count > MaxAtOnce;
        ids = ids[..Math.Min(ids.Count, MaxAtOnce)];
        var sent = await ResendNotification.SendAgainAsync(db, [.. ids], cancellationToken);
        if (sent.Count > 0)
        {
            signal.WakeAll();
        }

        return TypedResults.Ok(new Response(sent.Count, [.. ids.Except(sent)], hasMore));
    }

    private static Task<List<Guid>> FindAsync(Request request, NotificationsDb db, CancellationToken cancellationToken)
    {
        var query = db.Notifications.AsNoTracking().Where(n => n.Status == NotificationStatus.Failed);
        query = request.Template is null ? query : query.Where(n => n.Template == request.Template);
        query = request.Channel is null ? query : query.Where(n => n.Channel == request.Channel);
        if (request.CreatedFrom?.ToUniversalTime() is { } from)
        {
            query = query.Where(n => n.CreatedAt >= from);
        }

        if (request.CreatedTo?.ToUniversalTime() is { } to)
        {
            query = query.Where(n => n.CreatedAt < to);
        }

        return query.OrderBy(n => n.Id).Select(n => n.Id).Take(MaxAtOnce + 1).ToListAsync(cancellationToken);
    }
}

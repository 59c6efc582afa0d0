using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

public static class ResendNotifications
{
    /// <summary>Selects notifications: by id, or failed ones that match a filter, or all failed ones with <c>all</c>.</summary>
    /// <param name="Ids">1 to 100 ids; they cannot be combined with a filter.</param>
    /// <param name="Template">Of this template.</param>
    /// <param name="Channel">By this channel.</param>
    /// <param name="CreatedFrom">Recorded at this time or later.</param>
    /// <param name="CreatedTo">Recorded before this time.</param>
    /// <param name="All">true: all that have failed. Only <c>limit</c> can be combined with it.</param>
    /// <param name="Limit">At most this many, the oldest; 1 to 100, 100 when left out.</param>
    [Example("""{"template": "orderConfirmed", "createdFrom": "2026-11-28T08:00:00Z", "createdTo": "2026-11-28T09:00:00Z"}""")]
    public sealed record Request(
        IReadOnlyList<Guid>? Ids = null, string? Template = null, NotificationChannel? Channel = null, DateTimeOffset? CreatedFrom = null, DateTimeOffset? CreatedTo = null,
        bool? All = null, int? Limit = null);

    /// <param name="Resent">How many are due immediately, with a new round of attempts.</param>
    /// <param name="Refused">Ids not made due: no such notification, or a later message of the order has been sent to the customer.</param>
    /// <param name="HasMore">Whether more notifications match than one request handles; if so, send it again.</param>
    public sealed record Response(int Resent, IReadOnlyList<Guid> Refused, bool HasMore);

    /// <summary>Send failed notifications again</summary>
    /// <remarks>
    /// Resends the oldest failed ones that match, or those given by id, whatever their status; at most 100 in one request. Overtaken ones are not
    /// changed but listed in <c>refused</c>; narrow the filter to get past a hundred of them.
    /// </remarks>
    /// <param name="request">Which notifications.</param>
    /// <param name="db">The database.</param>
    /// <param name="signal">Wakes the sender.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    /// <response code="200">What was done.</response>
    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        Request request, NotificationsDb db, SendSignal signal, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        var isFiltered = request is not { Template: null, Channel: null, CreatedFrom: null, CreatedTo: null };
        BulkRequests.Require(errors, request.Ids, isFiltered, request.All, request.Limit);
        errors.Require(request.Ids is null || !isFiltered, "$.ids", "ids cannot be combined with a filter; they are sent again in any case.");
        if (request.Template is not null && NotificationProblems.FindWrong(request.Template) is { } wrong)
        {
            errors.Add("$.template", wrong);
        }

        if (errors.Any)
        {
            return errors.Malformed();
        }

        var limit = request.Limit ?? BulkRequests.Max;
        var ids = request.Ids?.Distinct().ToList() ?? await FindAsync(request, limit + 1, db, cancellationToken);
        var hasMore = ids.Count > limit;
        ids = ids[..Math.Min(ids.Count, limit)];
        var sent = await ResendNotification.SendAgainAsync(db, [.. ids], cancellationToken);
        if (sent.Count > 0)
        {
            signal.WakeAll();
        }

        return TypedResults.Ok(new Response(sent.Count, [.. ids.Except(sent)], hasMore));
    }

    private static Task<List<Guid>> FindAsync(Request request, int most, NotificationsDb db, CancellationToken cancellationToken)
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

        return query.OrderBy(n => n.Id).Select(n => n.Id).Take(most).ToListAsync(cancellationToken);
    }
}

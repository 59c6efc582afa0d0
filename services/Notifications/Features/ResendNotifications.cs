using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

public static class ResendNotifications
{
    /// <summary>Which notifications: by id, or failed ones that fit a filter, or all failed ones, said by <c>all</c>.</summary>
    /// <param name="Ids">1 to 100 ids; a filter goes with none.</param>
    /// <param name="Template">Of this template.</param>
    /// <param name="Channel">By this channel.</param>
    /// <param name="CreatedFrom">Recorded then or later.</param>
    /// <param name="CreatedTo">Recorded before.</param>
    /// <param name="All">true: all that have failed. It stands alone, but for <c>limit</c>.</param>
    /// <param name="Limit">At most so many, the oldest; 1 to 100, 100 when left out.</param>
    [Example("""{"template": "orderConfirmed", "createdFrom": "2026-11-28T08:00:00Z", "createdTo": "2026-11-28T09:00:00Z"}""")]
    public sealed record Request(
        IReadOnlyList<Guid>? Ids = null, string? Template = null, NotificationChannel? Channel = null, DateTimeOffset? CreatedFrom = null, DateTimeOffset? CreatedTo = null,
        bool? All = null, int? Limit = null);

    /// <param name="Resent">Due at once, with a new round of attempts.</param>
    /// <param name="Refused">Ids of which none is due: there is no such notification, or a later message of the order has been sent to the customer.</param>
    /// <param name="HasMore">Whether more of them fit than are done in one request; send it again.</param>
    public sealed record Response(int Resent, IReadOnlyList<Guid> Refused, bool HasMore);

    /// <summary>Sends failed notifications again.</summary>
    /// <remarks>
    /// The oldest that have failed and fit, or those that are named, whatever their status; at most 100 in one request. Overtaken ones are left as they are and named in
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
        var errors = new RequestErrors();
        var isFiltered = request is not { Template: null, Channel: null, CreatedFrom: null, CreatedTo: null };
        BulkRequests.Require(errors, request.Ids, isFiltered, request.All, request.Limit);
        errors.Require(request.Ids is null || !isFiltered, "$.ids", "Named ones are sent again whatever they are: leave the filter out.");
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

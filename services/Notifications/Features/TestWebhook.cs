using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Data;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

internal static class TestWebhook
{
    /// <summary>The type of test events. They are never published, and no webhook can subscribe to them.</summary>
    public const string EventType = "webhook.test.v1";

    /// <param name="StatusCode">The endpoint's status code; null when it did not answer.</param>
    /// <param name="DurationMs">How long that took, in milliseconds.</param>
    /// <param name="Error">Why the test was not accepted; null when it was.</param>
    public sealed record Result(int? StatusCode, int DurationMs, string? Error);

    /// <summary>Send a test to a webhook</summary>
    /// <remarks>
    /// Makes one attempt immediately, with an event of the type <c>webhook.test.v1</c> with no data, signed like any other; also to a webhook that is
    /// switched off. The response has the result. The test is not a notification, is not retried, and is in no log.
    /// </remarks>
    public static async Task<Results<Ok<Result>, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, NotificationsDb db, WebhookChannel channel, TimeProvider time, CancellationToken cancellationToken)
    {
        var webhook = await db.Webhooks.AsNoTracking().SingleOrDefaultAsync(w => w.Id == id, cancellationToken);
        if (webhook is null)
        {
            return Problems.NotFound("webhook", id);
        }

        if (ETags.CheckIfMatch(http, webhook.Version, required: false) is { } mismatch)
        {
            return mismatch;
        }

        var now = time.GetStorableNow();
        var delivery = Guid.CreateVersion7(now);
        var body = WebhookRecorder.Body(delivery, EventType, "/notifications", id.ToString(), now, "{}"u8);
        string[] secrets = webhook.PreviousSecret is { } previous && webhook.PreviousSecretUntil > now ? [webhook.Secret, previous] : [webhook.Secret];
        var answer = await channel.PostAsync(new(webhook.Url), delivery, body, secrets);
        return TypedResults.Ok(new Result(answer.StatusCode, (int)answer.Duration.TotalMilliseconds, answer.Error));
    }
}

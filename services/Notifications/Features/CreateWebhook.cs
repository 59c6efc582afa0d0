using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using OrderInventory.Contracts.Customers;
using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Notifications.Features;

internal static class CreateWebhook
{
    /// <summary>A webhook to create.</summary>
    /// <param name="Url">http or https. Nothing is posted to it before there is an event.</param>
    /// <param name="EventTypes">The types of events to deliver; all when left out.</param>
    /// <param name="Secret">
    /// The signing secret: <c>whsec_</c> and base64 of 24 to 64 bytes, or any other 16 to 128 printable characters. When left out, a secret is
    /// generated and shown only in this response.
    /// </param>
    /// <param name="Active">Whether it is active immediately; true when left out.</param>
    /// <param name="CustomerId">Deliver only this customer's events, and only while they want webhooks.</param>
    [Example("""{"url": "https://erp.example.com/hooks/orders", "eventTypes": ["order.updated.v1"]}""")]
    public sealed record Request(
        [property: MaxLength(2048)] string Url, IReadOnlyList<string>? EventTypes = null, [property: MaxLength(128)] string? Secret = null, bool Active = true, Guid? CustomerId = null);

    /// <summary>Subscribe a webhook</summary>
    /// <remarks>
    /// 422 <c>unknown-customer</c> when there is no such customer, or they have been erased. 409 <c>limit-reached</c> when there are 1,000 webhooks.
    /// 404 when the webhook that the Idempotency-Key created has been deleted. A repeated request does not show a generated secret again: rotate the
    /// secret when the first response was lost.
    /// </remarks>
    public static async Task<Results<Created<WebhookResponse>, ProblemHttpResult>> HandleAsync(
        Request request, HttpContext http, Caller caller, NotificationsDb db, WebhookDirectory directory, CustomersClient customers, NotificationQueue queue,
        IOptions<NotificationOptions> options, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var details = new WebhookDetails(request.Url, request.EventTypes, request.Active);
        var errors = WebhookRules.Check(details, options.Value.Webhooks.AllowPrivateTargets);
        if (request.Secret is not null && WebhookSignature.Check(request.Secret) is { } wrong)
        {
            errors.Add("$.secret", wrong);
        }

        if (errors.Any)
        {
            return errors.Malformed();
        }

        var webhook = Webhook.Create(details, request.CustomerId, request.Secret ?? Webhook.NewSecret(), time.GetStorableNow());
        await using var create = await IdempotentCreate.BeginAsync(
            http, db, caller.Sub, request, NotificationsJson.Default.CreateWebhookRequest, webhook.Id, cancellationToken);
        if (create.Problem is { } refused)
        {
            return refused;
        }

        if (create.Existing is { } existing)
        {
            var before = await db.Webhooks.AsNoTracking().Where(w => w.Id == existing).Select(WebhookResponse.Projection).SingleOrDefaultAsync(cancellationToken);
            return before is null ? Problems.NotFound("webhook", existing) : Created(http, before);
        }

        if (await db.Webhooks.CountAsync(cancellationToken) >= Webhook.MaxCount)
        {
            return NotificationProblems.LimitReached("webhooks", Webhook.MaxCount, canDelete: true);
        }

        if (request.CustomerId is { } customer && await CheckCustomerAsync(customer, http, db, customers, queue, cancellationToken) is { } unknown)
        {
            return unknown;
        }

        db.Add(webhook);
        db.Add(ChangeEntry.Of(caller, $"webhooks/{webhook.Id}", "created", webhook.Version, webhook.CreatedAt));
        await db.SaveChangesAsync(cancellationToken);
        await create.CommitAsync(cancellationToken);
        await directory.RefreshAsync(cancellationToken);
        return Created(http, WebhookResponse.Of(webhook) with { Secret = request.Secret is null ? webhook.Secret : null });
    }

    /// <summary>
    /// Queries Customers and stores the result, so that there is a row to lock: a concurrent erasure waits for this transaction and then
    /// deletes the new webhook too.
    /// </summary>
    private static async Task<ProblemHttpResult?> CheckCustomerAsync(
        Guid id, HttpContext http, NotificationsDb db, CustomersClient customers, NotificationQueue queue, CancellationToken cancellationToken)
    {
        var found = await customers.FindAsync([id], cancellationToken);
        if (found is null)
        {
            return Problems.Unavailable(http, "Customers");
        }

        await queue.StoreCustomersAsync([.. found.Values], cancellationToken);
        var known = await db.Recipients.FromSql($"SELECT * FROM recipients WHERE customer_id = {id} FOR SHARE").AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        return found.ContainsKey(id) && known?.Status != CustomerStatus.Erased
            ? null
            : Problems.Unprocessable("unknown-customer", "The customer does not exist.", new Dictionary<string, string[]> { ["$.customerId"] = [$"No customer has the id {id}."] });
    }

    private static Created<WebhookResponse> Created(HttpContext http, WebhookResponse webhook)
    {
        ETags.Set(http, webhook.Version);
        return TypedResults.Created($"/api/notifications/webhooks/{webhook.Id}", webhook);
    }
}

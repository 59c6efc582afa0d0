using System.ComponentModel.DataAnnotations;
using System.Linq.Expressions;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Http;

/// <summary>A webhook. Its secret is never read back.</summary>
/// <param name="Id">UUIDv7.</param>
/// <param name="Url">Where events are posted to.</param>
/// <param name="EventTypes">The types of events that are delivered; null for all.</param>
/// <param name="CustomerId">The only customer whose events are delivered, while they want webhooks; null for all customers' events and stock.</param>
/// <param name="Active">Whether events are recorded and delivered.</param>
/// <param name="Version">Grows by one with every change; also the ETag.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="UpdatedAt">When it was last changed.</param>
/// <param name="PreviousSecretUntil">Until when the previous secret still signs too; null when there is none.</param>
/// <param name="DisabledReason">Why it was switched off by this system (its endpoint answered 410); null otherwise. Switching it on again clears it.</param>
/// <param name="Secret">Only in the response that creates or rotates a generated secret; null afterwards.</param>
public sealed record WebhookResponse(
    Guid Id, [property: MaxLength(2048)] string Url, IReadOnlyList<string>? EventTypes, Guid? CustomerId, bool Active, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
    DateTimeOffset? PreviousSecretUntil, string? DisabledReason, string? Secret = null)
{
    internal static readonly Expression<Func<Webhook, WebhookResponse>> Projection = w =>
        new(w.Id, w.Url, w.EventTypes, w.CustomerId, w.Active, w.Version, w.CreatedAt, w.UpdatedAt, w.PreviousSecretUntil, w.DisabledReason, null);

    private static readonly Func<Webhook, WebhookResponse> s_toResponse = Projection.Compile();

    internal static WebhookResponse Of(Webhook webhook) => s_toResponse(webhook);
}

using System.Security.Cryptography;

namespace OrderInventory.Notifications.Domain;

/// <summary>What a subscriber may set.</summary>
internal sealed record WebhookDetails(string Url, IReadOnlyList<string>? EventTypes, bool Active);

/// <summary>An address of another system to which signed events are posted.</summary>
public sealed class Webhook
{
    /// <summary>Maximum number of webhooks.</summary>
    public const int MaxCount = 1000;

    /// <summary>How long the previous secret still signs too after a rotation, so that the receiver can switch without losing events.</summary>
    public static readonly TimeSpan SecretOverlap = TimeSpan.FromHours(24);

    private Webhook()
    {
    }

    public Guid Id { get; private init; }
    public string Url { get; private set; } = "";

    /// <summary>The <c>ce_type</c>s that are delivered; null for all.</summary>
    public string[]? EventTypes { get; private set; }

    /// <summary>Only events of this customer are delivered, and only while they want webhooks; null for the company's own systems.</summary>
    public Guid? CustomerId { get; private init; }

    /// <summary>False: nothing is recorded for it, and pending deliveries wait.</summary>
    public bool Active { get; private set; }

    /// <summary>Why this system switched it off; null otherwise.</summary>
    public string? DisabledReason { get; private set; }

    /// <summary>The endpoint asked not to be called before this time.</summary>
    public DateTimeOffset? PausedUntil { get; private set; }

    public string Secret { get; private set; } = "";

    /// <summary>The secret before the last rotation.</summary>
    public string? PreviousSecret { get; private set; }

    public DateTimeOffset? PreviousSecretUntil { get; private set; }
    public long Version { get; private set; }
    public DateTimeOffset CreatedAt { get; private init; }
    public DateTimeOffset UpdatedAt { get; private set; }

    internal static Webhook Create(WebhookDetails details, Guid? customerId, string secret, DateTimeOffset now)
    {
        var webhook = new Webhook { Id = Guid.CreateVersion7(now), CustomerId = customerId, Secret = secret, Version = 1, CreatedAt = now, UpdatedAt = now };
        webhook.Apply(details);
        return webhook;
    }

    /// <summary>32 random bytes in the notation of the Standard Webhooks specification.</summary>
    public static string NewSecret() => WebhookSignature.SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>Applies all settings. False when nothing changed: then there is no new version.</summary>
    internal bool Change(WebhookDetails details, DateTimeOffset now)
    {
        if (details.Url == Url && details.Active == Active && Same(details.EventTypes, EventTypes))
        {
            return false;
        }

        Apply(details);
        Touch(now);
        return true;
    }

    /// <summary>From now on signs with the new secret, and for <see cref="SecretOverlap"/> with the old one too.</summary>
    public void RotateSecret(string secret, DateTimeOffset now)
    {
        (PreviousSecret, PreviousSecretUntil, Secret) = (Secret, now + SecretOverlap, secret);
        Touch(now);
    }

    private void Apply(WebhookDetails details)
    {
        // The pause that the old address requested does not apply to a new address.
        PausedUntil = details.Url == Url ? PausedUntil : null;
        DisabledReason = details.Active ? null : DisabledReason;
        (Url, Active) = (details.Url, details.Active);
        EventTypes = details.EventTypes?.Distinct().ToArray();
    }

    private void Touch(DateTimeOffset now)
    {
        Version++;
        UpdatedAt = now;
    }

    private static bool Same(IReadOnlyList<string>? some, string[]? others) =>
        some is null ? others is null : others is not null && some.Distinct().SequenceEqual(others);
}

/// <summary>An event as webhooks receive it, stored once for all its deliveries. No personal data: events carry none.</summary>
public sealed class WebhookEvent
{
    public Guid EventId { get; private set; }
    public string Type { get; private set; } = "";
    public string Source { get; private set; } = "";
    public string Subject { get; private set; } = "";
    public DateTimeOffset Time { get; private set; }

    /// <summary>The data as it was published. Bytes, because JSON may contain a NUL, which PostgreSQL's json types cannot store.</summary>
    public byte[] Data { get; private set; } = [];
}

/// <summary>One attempt to deliver.</summary>
public sealed class WebhookDelivery
{
    public Guid Id { get; private set; }
    public Guid WebhookId { get; private set; }
    public Guid NotificationId { get; private set; }
    public Guid EventId { get; private set; }
    public string EventType { get; private set; } = "";
    public int Attempt { get; private set; }
    public DateTimeOffset AttemptedAt { get; private set; }

    /// <summary>Null when there was no answer.</summary>
    public int? StatusCode { get; private set; }

    public int DurationMs { get; private set; }

    /// <summary>Null when the endpoint accepted it.</summary>
    public string? Error { get; private set; }
}

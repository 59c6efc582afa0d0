namespace OrderInventory.Notifications.Domain;

/// <summary>
/// A message to somebody about an event. One row per event, template, channel and recipient: the unique index makes a repeated event
/// harmless even after its inbox row was deleted. Rows are written and claimed set-based (<see cref="Data.NotificationQueue"/>).
/// </summary>
public sealed class Notification
{
    /// <summary>Why nothing more is sent to an erased customer.</summary>
    public const string CustomerErased = "The customer has been erased.";

    public Guid Id { get; private set; }

    /// <summary>The <c>ce_id</c> of the event.</summary>
    public Guid EventId { get; private set; }

    /// <summary>The <c>ce_type</c> of the event.</summary>
    public string EventType { get; private set; } = "";

    public Guid? OrderId { get; private set; }

    /// <summary>The order's version that the message reports; null for stock, and for rows from before this was recorded.</summary>
    public long? OrderVersion { get; private set; }

    /// <summary>Null for staff.</summary>
    public Guid? CustomerId { get; private set; }

    public string Template { get; private set; } = "";
    public NotificationChannel Channel { get; private set; }

    /// <summary>
    /// The id of a customer, a webhook or a member of staff, or a staff role. Addresses are looked up when the message is sent, because they change
    /// and can be erased.
    /// </summary>
    public string RecipientRef { get; private set; } = "";

    /// <summary>What the template needs, as JSON. No personal data.</summary>
    public string Data { get; private set; } = "";

    /// <summary>The event's trace, which sending continues; null when that trace is not recorded.</summary>
    public string? TraceParent { get; private set; }

    public NotificationStatus Status { get; private set; }

    /// <summary>All attempts, including those before a resend.</summary>
    public int Attempts { get; private set; }

    /// <summary>Attempts before the last resend, which do not count towards giving up.</summary>
    public int AttemptsBefore { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When it was recorded or last resent: a notification that has waited too long since then is given up.</summary>
    public DateTimeOffset DueSince { get; private set; }

    public DateTimeOffset NextAttemptAt { get; private set; }

    /// <summary>The claim of the sender that works on it.</summary>
    public Guid? LeasedBy { get; private set; }

    public DateTimeOffset? LeaseUntil { get; private set; }
    public DateTimeOffset? SentAt { get; private set; }

    /// <summary>The last error, for people to read. No personal data survives an erasure.</summary>
    public string? LastError { get; private set; }

    /// <summary>The customer's or staff's address that was used; null before the first attempt, for webhooks and after an erasure.</summary>
    public string? Recipient { get; private set; }

    /// <summary>The language of the template that was used; null before the first attempt and for webhooks.</summary>
    public string? TemplateLanguage { get; private set; }

    /// <summary>The version of that template; 0 for the built-in one.</summary>
    public long? TemplateVersion { get; private set; }

    /// <summary>As it was sent; null after an erasure.</summary>
    public string? Subject { get; private set; }

    /// <summary>As it was sent; null after an erasure.</summary>
    public string? Body { get; private set; }
}

using System.ComponentModel.DataAnnotations;

namespace OrderInventory.Notifications;

/// <summary>Settings from the configuration section <c>Notifications</c>.</summary>
public sealed class NotificationOptions
{
    /// <summary>The sender address of mails.</summary>
    [Required]
    public string From { get; set; } = "orders@orderinventory.localhost";

    /// <summary>Mail addresses by staff role.</summary>
    public Dictionary<string, string[]> Staff { get; set; } = [];

    /// <summary>
    /// Send rate of one replica. Mail providers limit the rate, and a burst of orders should queue here instead of using up the machine.
    /// </summary>
    [Range(1, 10_000)]
    public int MaxSendsPerSecond { get; set; } = 50;

    /// <summary>A notification is given up after this many failed attempts, until somebody resends it.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 8;

    /// <summary>
    /// Wait before the second attempt; each further wait is three times as long as the one before. By default, eight attempts spread over two hours.
    /// </summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest wait before an attempt.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How often the sender polls without a signal: for notifications that another replica recorded or that are due again.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Staff is notified of one product's low stock at most once in this time.</summary>
    public TimeSpan LowStockInterval { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// After this time without an event the stream writes a comment, so that a broken connection is detected and a proxy does not close it. Must be
    /// shorter than any timeout on the path; the gateway's is a minute.
    /// </summary>
    public TimeSpan StreamHeartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long mails and text messages are kept, with their addresses and texts.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(365);

    /// <summary>Settings of text messages.</summary>
    public SmsOptions Sms { get; set; } = new();

    /// <summary>Settings of webhooks.</summary>
    public WebhookOptions Webhooks { get; set; } = new();

    /// <summary>How long a sender has for the notifications that it claimed; after that another sender may send them.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Grows threefold with every attempt. Varies a little at random, so that messages that failed together are not retried together.
    /// </summary>
    internal TimeSpan Backoff(int attempt, TimeSpan longest)
    {
        var delay = RetryDelay * Math.Pow(3, Math.Min(attempt - 1, 20));
        return (delay < longest ? delay : longest) * (0.9 + (Random.Shared.NextDouble() * 0.2));
    }
}

/// <summary>Settings of webhooks, from <c>Notifications:Webhooks</c>.</summary>
public sealed class WebhookOptions
{
    /// <summary>Whether a webhook may be on this machine or in a private network. Only for development: subscribers choose the addresses.</summary>
    public bool AllowPrivateTargets { get; set; }

    /// <summary>How long an endpoint has to answer.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest pause that an endpoint can request with Retry-After.</summary>
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromHours(1);

    /// <summary>A delivery that an endpoint has not accepted after this time is given up, however often it was tried.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(3);
}

/// <summary>The provider of text messages, from <c>Notifications:Sms</c>.</summary>
public sealed class SmsOptions
{
    /// <summary>The address that messages are posted to; without it they are only logged.</summary>
    public Uri? Url { get; set; }

    /// <summary>The sender of messages, if the provider needs it.</summary>
    public string? From { get; set; }

    /// <summary>Headers of every request, such as Authorization.</summary>
    public Dictionary<string, string> Headers { get; set; } = [];
}

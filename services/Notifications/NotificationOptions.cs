using System.ComponentModel.DataAnnotations;

namespace OrderInventory.Notifications;

/// <summary>Settings, from the section <c>Notifications</c>.</summary>
public sealed class NotificationOptions
{
    /// <summary>The sender that mails show.</summary>
    [Required]
    public string From { get; set; } = "orders@orderinventory.localhost";

    /// <summary>Mail addresses by staff role.</summary>
    public Dictionary<string, string[]> Staff { get; set; } = [];

    /// <summary>Pace of one replica. Mail providers limit it, and a burst of orders is to queue here rather than to eat the machine.</summary>
    [Range(1, 10_000)]
    public int MaxSendsPerSecond { get; set; } = 50;

    /// <summary>A notification that could not be sent this often is given up, until somebody has it sent again.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 8;

    /// <summary>Wait before the second attempt; each further one waits three times as long as the one before. The eight of the default spread over two hours.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>No attempt waits longer than this.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How often the sender looks without being woken: for what another replica recorded, and for what is due again.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Staff is told of one product's low stock at most once in this time.</summary>
    public TimeSpan LowStockInterval { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// After this time without an event the stream writes a comment, so that a broken connection is noticed and a proxy does not end it. Shorter than
    /// any time-out on the way; the gateway's is a minute.
    /// </summary>
    public TimeSpan StreamHeartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long mails and text messages are remembered, with their addresses and texts.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(365);

    /// <summary>Settings of text messages.</summary>
    public SmsOptions Sms { get; set; } = new();

    /// <summary>Settings of webhooks.</summary>
    public WebhookOptions Webhooks { get; set; } = new();

    /// <summary>How long a sender has for the notifications that it claimed; after that another one may send them.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Three times as long with every attempt; a little random, so that what failed together does not come back together.</summary>
    internal TimeSpan Backoff(int attempt, TimeSpan longest)
    {
        var delay = RetryDelay * Math.Pow(3, Math.Min(attempt - 1, 20));
        return (delay < longest ? delay : longest) * (0.9 + (Random.Shared.NextDouble() * 0.2));
    }
}

/// <summary>Settings of webhooks, from <c>Notifications:Webhooks</c>.</summary>
public sealed class WebhookOptions
{
    /// <summary>Whether a webhook may be on this machine or in a private network. For development: subscribers choose the addresses.</summary>
    public bool AllowPrivateTargets { get; set; }

    /// <summary>How long an endpoint has to answer.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest pause that an endpoint gets by Retry-After.</summary>
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromHours(1);

    /// <summary>What an endpoint has not taken after this time is given up, however often it was tried.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(3);
}

/// <summary>The provider of text messages, from <c>Notifications:Sms</c>.</summary>
public sealed class SmsOptions
{
    /// <summary>Where messages are posted to; without it they only leave a line in the log.</summary>
    public Uri? Url { get; set; }

    /// <summary>The sender that messages show, if the provider wants to be told.</summary>
    public string? From { get; set; }

    /// <summary>Headers of every request, such as Authorization.</summary>
    public Dictionary<string, string> Headers { get; set; } = [];
}

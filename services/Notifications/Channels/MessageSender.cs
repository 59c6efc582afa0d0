using System.Diagnostics;
using System.Text.Json;
using System.Threading.RateLimiting;
using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Channels;

/// <summary>
/// Sends the messages of one batch one by one and returns the result of each. They share one connection, which is opened for the first message and
/// again after it was lost.
/// </summary>
internal sealed partial class MessageSender(
    IMessageChannel channel, MessageRenderer renderer, RateLimiter pace, NotificationOptions options, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    private IMessageConnection? _open;

    /// <summary>The channel is unavailable: the other messages would fail too.</summary>
    public bool IsChannelUnavailable { get; private set; }

    /// <summary>The send rate that the operator permits, for all batches of a channel.</summary>
    public static TokenBucketRateLimiter PaceOf(NotificationOptions options)
    {
        // Five times a second: a timer that ticked for each message would tick as often when there is nothing to send.
        var perPeriod = Math.Max(1, options.MaxSendsPerSecond / 5);
        return new(new()
        {
            TokenLimit = perPeriod,
            TokensPerPeriod = perPeriod,
            ReplenishmentPeriod = TimeSpan.FromSeconds((double)perPeriod / options.MaxSendsPerSecond),
            QueueLimit = 1,
            AutoReplenishment = true,
        });
    }

    public async Task<SendResult> SendAsync(
        ClaimedNotification notification, Facts known, IReadOnlyDictionary<TemplateKey, StoredTemplate> stored, CancellationToken stopping)
    {
        if (Prepare(notification, known, stored, out var problem) is not { } message)
        {
            return GiveUp(notification, problem!);
        }

        using var permit = await pace.AcquireAsync(1, stopping);
        using var span = NotificationTelemetry.StartSend($"send {NotificationsDb.Name(channel.Kind)}", notification.TraceParent, notification.Id, notification.Template);
        try
        {
            // Not the stopping token: a message that is being sent when the service stops is completed, and its result is recorded.
            using var timeout = new CancellationTokenSource(s_timeout);
            _open ??= await channel.ConnectAsync(timeout.Token);
            await _open.SendAsync(notification.Id, message, timeout.Token);
            NotificationTelemetry.Sent.Add(1);
            return new(notification.Id, NotificationStatus.Sent, Attempted: true, Message: message);
        }
        catch (MessageRefusedException exception)
        {
            span?.SetStatus(ActivityStatusCode.Error);
            return Again(notification, exception.Message, message);
        }
        catch (Exception exception) when (exception is ChannelUnavailableException or OperationCanceledException)
        {
            span?.SetStatus(ActivityStatusCode.Error);
            IsChannelUnavailable = _open is null || (exception is ChannelUnavailableException && !channel.CanReconnect);
            if (IsChannelUnavailable)
            {
                LogChannelUnavailable(channel.Name, exception.InnerException?.GetType().Name ?? exception.GetType().Name);
            }

            await DisposeAsync();
            return Again(notification, exception is ChannelUnavailableException ? exception.Message : $"The channel for {channel.Name} did not answer in time.", message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        var lost = _open;
        _open = null;
        if (lost is not null)
        {
            await lost.DisposeAsync();
        }
    }

    /// <summary>The message, or null and the reason why it can never be sent.</summary>
    private RenderedMessage? Prepare(
        ClaimedNotification notification, Facts known, IReadOnlyDictionary<TemplateKey, StoredTemplate> stored, out string? problem)
    {
        try
        {
            return Receiver.Find(channel, notification, known, out problem) is { } receiver
                ? renderer.Render(notification, stored, channel.Kind, known, receiver)
                : null;
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or TemplateFailedException)
        {
            problem = $"Its template cannot be rendered: {exception.Message}";
            return null;
        }
    }

    /// <summary>Makes the notification due again later, or gives it up after the last attempt.</summary>
    private SendResult Again(ClaimedNotification notification, string error, RenderedMessage message)
    {
        var attempt = notification.AttemptsOfThisRound + 1;
        if (attempt >= options.MaxAttempts)
        {
            return GiveUp(notification, error, message);
        }

        LogRetry(notification.Id, attempt);
        return new(notification.Id, NotificationStatus.Pending, Attempted: true, options.Backoff(attempt, options.MaxRetryDelay), error, message);
    }

    private SendResult GiveUp(ClaimedNotification notification, string error, RenderedMessage? message = null)
    {
        NotificationTelemetry.Failed.Add(1);
        LogGivenUp(notification.Id, notification.Template);
        return new(notification.Id, NotificationStatus.Failed, Attempted: true, Error: error, Message: message);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The channel for {Channel} is unavailable ({Reason}); notifications wait")]
    private partial void LogChannelUnavailable(string channel, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Notification {Id} was not accepted at attempt {Attempt}; it will be retried")]
    private partial void LogRetry(Guid id, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Notification {Id} ({Template}) is given up; its lastError says why")]
    private partial void LogGivenUp(Guid id, string template);
}

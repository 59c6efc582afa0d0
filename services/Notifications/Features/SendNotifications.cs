using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Features;

/// <summary>
/// Sends what is due on one channel: claims a batch, looks the addresses up in one call, sends each message alone at the permitted pace, and writes what became of them.
/// No transaction is open meanwhile. A crash between sending and writing sends again when the lease ends, with the same id:
/// messages are delivered at least once. Each channel has a sender of its own, so that none waits for another.
/// </summary>
internal sealed partial class SendNotifications(
    IMessageChannel channel, NotificationQueue queue, MessageFacts facts, TemplateStore templates, MessageRenderer renderer, SendSignal signal,
    IOptions<NotificationOptions> options, TimeProvider time, ILogger<SendNotifications> logger) : BackgroundService
{
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_sendTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_waitForOthers = TimeSpan.FromMilliseconds(200);

    private readonly NotificationOptions _options = options.Value;
    private int _outages;

    [SuppressMessage("Design", "CA1031", Justification = "See the comment there.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var pace = CreatePace();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await SendDueAsync(pace, stoppingToken) == 0)
                {
                    await signal.WaitAsync(channel.Kind, _options.PollInterval, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception)
            {
                // Mostly the database. Whatever it is, a sender that ended here would take the service, or the mails, with it.
                _outages++;
                LogFailed(exception);
            }

            if (_outages > 0)
            {
                // The channel, a neighbour or the database is away: one look now and then is enough until it is back.
                await Task.Delay(_options.Backoff(_outages, s_longestPause), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<int> SendDueAsync(TokenBucketRateLimiter pace, CancellationToken stopping)
    {
        var claim = Guid.CreateVersion7();
        var limit = Math.Min(_options.MaxSendsPerSecond, CustomersClient.MaxIds);
        var claimed = await queue.ClaimAsync(channel.Kind, claim, limit, _options.Lease, stopping);
        if (claimed.Count == 0)
        {
            _outages = 0;
            return 0;
        }

        using var span = NotificationTelemetry.StartBatch(claimed);
        var started = time.GetTimestamp();
        var results = new Dictionary<Guid, SendResult>(claimed.Count);
        try
        {
            var (notifications, known) = await AskNeighboursAsync(claim, claimed, stopping);
            var stored = await templates.LoadAsync(channel.Kind, notifications.Select(n => n.Template), stopping);
            await using var connection = new Connection(channel);
            var isAway = false;
            foreach (var notification in notifications)
            {
                if (isAway || stopping.IsCancellationRequested || time.GetElapsedTime(started) > _options.Lease / 2)
                {
                    break;
                }

                var result = Postpone(notification, known);
                if (result is null)
                {
                    (result, isAway) = await SendAsync(notification, known, stored, connection, pace, stopping);
                }

                results[notification.Id] = result;
            }

            _outages = isAway || known.Customers is null ? _outages + 1 : 0;
        }
        finally
        {
            // What was not reached, for whatever reason, is due again at once.
            List<SendResult> became = [.. claimed.Select(n => results.GetValueOrDefault(n.Id) ?? SendResult.Untouched(n.Id))];
            await LeasedResults.WriteAsync(() => queue.FinishAsync(claim, became, CancellationToken.None), time, started, _options.Lease, LogNotWritten);
        }

        return claimed.Count;
    }

    /// <summary>What the other services say of the batch, and the batch as it is after that: a wish that came meanwhile counts.</summary>
    private async Task<(List<ClaimedNotification> Notifications, Facts Known)> AskNeighboursAsync(Guid claim, List<ClaimedNotification> claimed, CancellationToken stopping)
    {
        var ids = claimed.Where(n => n.CustomerId is not null && n.Erased != true).Select(n => n.CustomerId!.Value).ToHashSet();
        var found = await facts.FindCustomersAsync(ids, stopping);
        if (found is { Count: > 0 })
        {
            var unknown = claimed.Where(n => n.CustomerId is not null && n.Wanted is null).Select(n => n.CustomerId!.Value).Distinct();
            await queue.LearnAsync([.. unknown.Where(found.ContainsKey).Select(id => found[id])], stopping);
        }

        var known = await facts.CompleteAsync(found, claimed, stopping);
        return (claimed.Exists(n => n.CustomerId is not null) ? await queue.RefreshAsync(channel.Kind, claim, claimed, stopping) : claimed, known);
    }

    /// <summary>What is not tried now, and is not one of the notification's attempts; null when it can be sent.</summary>
    private SendResult? Postpone(ClaimedNotification notification, Facts known)
    {
        if (notification.OvertakenBy is { } template)
        {
            NotificationTelemetry.Failed.Add(1);
            return new(notification.Id, NotificationStatus.Failed, Attempted: false, Error: $"A later message of the order has been sent ({template}).");
        }

        if (notification.OthersSending)
        {
            return new(notification.Id, NotificationStatus.Pending, Attempted: false, s_waitForOthers);
        }

        return known.Missing(notification) is { } missing
            ? new(notification.Id, NotificationStatus.Pending, Attempted: false, _options.Backoff(_outages + 1, s_longestPause), $"{missing} does not answer.")
            : null;
    }

    private async Task<(SendResult Result, bool IsAway)> SendAsync(
        ClaimedNotification notification, Facts known, IReadOnlyDictionary<TemplateKey, StoredTemplate> stored, Connection connection,
        TokenBucketRateLimiter pace, CancellationToken stopping)
    {
        if (Prepare(notification, known, stored, out var problem) is not { } message)
        {
            return (GiveUp(notification, problem!), IsAway: false);
        }

        using var permit = await pace.AcquireAsync(1, stopping);
        using var span = NotificationTelemetry.StartSend($"send {NotificationsDb.Name(channel.Kind)}", notification.TraceParent, notification.Id, notification.Template);
        try
        {
            // Not the stopping token: a message that is on its way when the service is told to stop is sent, and known to be.
            using var timeout = new CancellationTokenSource(s_sendTimeout);
            await connection.SendAsync(notification.Id, message, timeout.Token);
            NotificationTelemetry.Sent.Add(1);
            return (new(notification.Id, NotificationStatus.Sent, Attempted: true, Message: message), IsAway: false);
        }
        catch (MessageNotTakenException exception)
        {
            span?.SetStatus(ActivityStatusCode.Error);
            return (Again(notification, exception.Message, message), IsAway: false);
        }
        catch (Exception exception) when (exception is ChannelUnavailableException or OperationCanceledException)
        {
            span?.SetStatus(ActivityStatusCode.Error);
            // Nobody there: the others would only find out the same.
            var isAway = !connection.IsOpen || (exception is ChannelUnavailableException && !channel.CanReconnect);
            if (isAway)
            {
                LogChannelUnavailable(channel.Name, exception.InnerException?.GetType().Name ?? exception.GetType().Name);
            }

            await connection.DisposeAsync();
            var error = exception is ChannelUnavailableException ? exception.Message : $"The channel for {channel.Name} did not answer in time.";
            return (Again(notification, error, message), isAway);
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
            problem = $"Its template cannot be filled: {exception.Message}";
            return null;
        }
    }

    /// <summary>Due again later, or given up when it was tried often enough.</summary>
    private SendResult Again(ClaimedNotification notification, string error, RenderedMessage message)
    {
        var attempt = notification.AttemptsOfThisRound + 1;
        if (attempt >= _options.MaxAttempts)
        {
            return GiveUp(notification, error, message);
        }

        LogRetry(notification.Id, attempt);
        return new(notification.Id, NotificationStatus.Pending, Attempted: true, _options.Backoff(attempt, _options.MaxRetryDelay), error, message);
    }

    private SendResult GiveUp(ClaimedNotification notification, string error, RenderedMessage? message = null)
    {
        NotificationTelemetry.Failed.Add(1);
        LogGivenUp(notification.Id, notification.Template);
        return new(notification.Id, NotificationStatus.Failed, Attempted: true, Error: error, Message: message);
    }

    private TokenBucketRateLimiter CreatePace()
    {
        // Five times a second, because a timer that ticks for each message also ticks all night.
        var perPeriod = Math.Max(1, _options.MaxSendsPerSecond / 5);
        return new(new()
        {
            TokenLimit = perPeriod,
            TokensPerPeriod = perPeriod,
            ReplenishmentPeriod = TimeSpan.FromSeconds((double)perPeriod / _options.MaxSendsPerSecond),
            QueueLimit = 1,
            AutoReplenishment = true,
        });
    }

    /// <summary>The connection of one batch: opened for its first message, and again after it was lost.</summary>
    private sealed class Connection(IMessageChannel channel) : IAsyncDisposable
    {
        private IMessageConnection? _open;

        public bool IsOpen => _open is not null;

        public async Task SendAsync(Guid id, RenderedMessage message, CancellationToken cancellationToken)
        {
            _open ??= await channel.ConnectAsync(cancellationToken);
            await _open.SendAsync(id, message, cancellationToken);
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
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Notifications cannot be read or written; tried again")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The channel for {Channel} does not work ({Reason}); notifications wait")]
    private partial void LogChannelUnavailable(string channel, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Notification {Id} was not taken at attempt {Attempt}; tried again later")]
    private partial void LogRetry(Guid id, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Notification {Id} ({Template}) is given up; its lastError says why")]
    private partial void LogGivenUp(Guid id, string template);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The results of a batch could not be written (attempt {Attempt})")]
    private partial void LogNotWritten(Exception exception, int attempt);
}

internal static class NotificationSenders
{
    /// <summary>Adds the sender of one channel.</summary>
    public static void AddSenderOf<TChannel>(this IServiceCollection services)
        where TChannel : IMessageChannel =>
        // Not AddHostedService, which adds each type once.
        services.AddSingleton<IHostedService>(
            provider => ActivatorUtilities.CreateInstance<SendNotifications>(provider, ActivatorUtilities.CreateInstance<TChannel>(provider)));
}

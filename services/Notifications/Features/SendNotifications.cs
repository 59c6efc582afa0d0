using System.Diagnostics.CodeAnalysis;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Features;

/// <summary>
/// Sends what is due on one channel: claims a batch, looks the addresses up in one call, sends each message at the permitted rate, and writes the
/// results. No transaction is open meanwhile. After a crash between sending and writing, a message is sent again when the lease ends, with the
/// same id: messages are delivered at least once. Each channel has its own sender, so that no channel waits for another.
/// </summary>
internal sealed partial class SendNotifications(
    IMessageChannel channel, NotificationQueue queue, MessageFacts facts, TemplateStore templates, MessageRenderer renderer, SendSignal signal,
    IOptions<NotificationOptions> options, TimeProvider time, ILogger<SendNotifications> logger) : BackgroundService
{
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_waitForOthers = TimeSpan.FromMilliseconds(200);

    private readonly NotificationOptions _options = options.Value;
    private int _outages;

    [SuppressMessage("Design", "CA1031", Justification = "See the comment there.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var pace = MessageSender.PaceOf(_options);
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
                // Mostly a database failure. Any exception is caught, because one that ended the sender would end the service or stop the mails.
                _outages++;
                LogFailed(exception);
            }

            if (_outages > 0)
            {
                // The channel, another service or the database is unavailable: polling at longer intervals is enough until it answers again.
                await Task.Delay(_options.Backoff(_outages, s_longestPause), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<int> SendDueAsync(RateLimiter pace, CancellationToken stopping)
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
            var (notifications, known) = await FetchFactsAsync(claim, claimed, stopping);
            var stored = await templates.LoadAsync(channel.Kind, notifications.Select(n => n.Template), stopping);
            await using var sender = new MessageSender(channel, renderer, pace, _options, logger);
            foreach (var notification in notifications)
            {
                if (sender.IsChannelUnavailable || stopping.IsCancellationRequested || time.GetElapsedTime(started) > _options.Lease / 2)
                {
                    break;
                }

                results[notification.Id] = Postpone(notification, known) ?? await sender.SendAsync(notification, known, stored, stopping);
            }

            _outages = sender.IsChannelUnavailable || known.Customers is null ? _outages + 1 : 0;
        }
        finally
        {
            // What was not tried, for whatever reason, is due again immediately.
            List<SendResult> became = [.. claimed.Select(n => results.GetValueOrDefault(n.Id) ?? SendResult.Unchanged(n.Id))];
            await LeasedResults.WriteAsync(() => queue.FinishAsync(claim, became, CancellationToken.None), time, started, _options.Lease, LogNotWritten);
        }

        return claimed.Count;
    }

    /// <summary>Queries the other services for the batch, then refreshes the batch: a preference that changed meanwhile counts.</summary>
    private async Task<(List<ClaimedNotification> Notifications, Facts Known)> FetchFactsAsync(Guid claim, List<ClaimedNotification> claimed, CancellationToken stopping)
    {
        var ids = claimed.Where(n => n.CustomerId is not null && n.Erased != true).Select(n => n.CustomerId!.Value).ToHashSet();
        var found = await facts.FindCustomersAsync(ids, stopping);
        if (found is { Count: > 0 })
        {
            var unknown = claimed.Where(n => n.CustomerId is not null && n.Wanted is null).Select(n => n.CustomerId!.Value).Distinct();
            await queue.StoreCustomersAsync([.. unknown.Where(found.ContainsKey).Select(id => found[id])], stopping);
        }

        var known = await facts.CompleteAsync(found, claimed, stopping);
        return (claimed.Exists(n => n.CustomerId is not null) ? await queue.RefreshAsync(channel.Kind, claim, claimed, stopping) : claimed, known);
    }

    /// <summary>The result of a notification that is not tried now, which does not count as an attempt; null when it can be sent.</summary>
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Notifications could not be read or written; will be retried")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The results of a batch could not be written (attempt {Attempt})")]
    private partial void LogNotWritten(Exception exception, int attempt);
}

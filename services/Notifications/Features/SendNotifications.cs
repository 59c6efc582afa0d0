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
internal abstract partial class SendNotifications(
    NotificationQueue queue, MessageFacts facts, TemplateStore templates, MessageRenderer renderer, SendSignal signal,
    IOptions<NotificationOptions> options, TimeProvider time, ILogger logger) : BackgroundService
{
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_sendTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_waitForOthers = TimeSpan.FromMilliseconds(200);

    private readonly NotificationOptions _options = options.Value;
    private readonly ILogger _logger = logger;
    private int _outages;

    protected NotificationOptions Options => _options;

    protected TimeProvider Time => time;

    protected abstract NotificationChannel Channel { get; }

    /// <summary>What an address of the channel is called, for <c>lastError</c>.</summary>
    protected abstract string AddressName { get; }

    /// <summary>What the channel is called there.</summary>
    protected abstract string ChannelName { get; }

    protected abstract string? AddressOf(CustomersClient.Customer customer);

    /// <summary>The addresses of a role of staff in the configuration.</summary>
    protected abstract string? AddressOfRole(string role);

    protected abstract bool IsAddress(string address, bool isRole);

    /// <exception cref="ChannelUnavailableException">Nothing can be sent just now.</exception>
    protected abstract Task<IMessageConnection> ConnectAsync(CancellationToken cancellationToken);

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
                    await signal.WaitAsync(Channel, _options.PollInterval, stoppingToken);
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
                // Somebody whom everything here depends on is away: one look now and then is enough until it is back.
                await Task.Delay(_options.Backoff(_outages, s_longestPause), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<int> SendDueAsync(TokenBucketRateLimiter pace, CancellationToken stopping)
    {
        var claim = Guid.CreateVersion7();
        var limit = Math.Min(_options.MaxSendsPerSecond, CustomersClient.MaxIds);
        var claimed = await queue.ClaimAsync(Channel, claim, limit, _options.Lease, stopping);
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
            await SendAsync(claim, claimed, results, pace, stopping);
        }
        finally
        {
            // What was not reached, for whatever reason, is due again at once.
            List<SendResult> became = [.. claimed.Select(n => results.GetValueOrDefault(n.Id) ?? SendResult.Untouched(n.Id))];
            await LeasedResults.WriteAsync(() => queue.FinishAsync(claim, became, CancellationToken.None), time, started, _options.Lease, LogNotWritten);
        }

        return claimed.Count;
    }

    private async Task SendAsync(
        Guid claim, List<ClaimedNotification> claimed, Dictionary<Guid, SendResult> results, TokenBucketRateLimiter pace, CancellationToken stopping)
    {
        var started = time.GetTimestamp();
        var ids = claimed.Where(n => n.CustomerId is not null && n.Erased != true).Select(n => n.CustomerId!.Value).ToHashSet();
        var found = await facts.FindCustomersAsync(ids, stopping);
        var outage = found is null;
        if (found is { Count: > 0 })
        {
            var unknown = claimed.Where(n => n.CustomerId is not null && n.Wanted is null).Select(n => n.CustomerId!.Value).Distinct();
            await queue.LearnAsync([.. unknown.Where(found.ContainsKey).Select(id => found[id])], stopping);
        }

        var known = await facts.CompleteAsync(found, claimed, stopping);
        if (claimed.Exists(n => n.CustomerId is not null))
        {
            claimed = await queue.RefreshAsync(Channel, claim, claimed, stopping);
        }

        var stored = await templates.LoadAsync(Channel, claimed.Select(n => n.Template), stopping);

        IMessageConnection? connection = null;
        try
        {
            foreach (var notification in claimed)
            {
                if (stopping.IsCancellationRequested || time.GetElapsedTime(started) > _options.Lease / 2)
                {
                    return;
                }

                if (Postpone(notification, known) is { } later)
                {
                    results[notification.Id] = later;
                    continue;
                }

                if (Prepare(notification, known, stored, out var problem) is not { } message)
                {
                    results[notification.Id] = GiveUp(notification, problem!);
                    continue;
                }

                using var permit = await pace.AcquireAsync(1, stopping);
                using var span = NotificationTelemetry.StartSend($"send {NotificationsDb.Name(Channel)}", notification.TraceParent, notification.Id, notification.Template);
                try
                {
                    // Not the stopping token: a message that is on its way when the service is told to stop is sent, and known to be.
                    using var timeout = new CancellationTokenSource(s_sendTimeout);
                    connection ??= await ConnectAsync(timeout.Token);
                    await connection.SendAsync(notification.Id, message, timeout.Token);
                    results[notification.Id] = new(notification.Id, NotificationStatus.Sent, Attempted: true, Message: message);
                    NotificationTelemetry.Sent.Add(1);
                }
                catch (MessageNotTakenException exception)
                {
                    results[notification.Id] = Again(notification, exception.Message, message);
                    span?.SetStatus(ActivityStatusCode.Error);
                }
                catch (Exception exception) when (exception is ChannelUnavailableException or OperationCanceledException)
                {
                    var error = exception is ChannelUnavailableException ? exception.Message : $"The channel for {ChannelName} did not answer in time.";
                    results[notification.Id] = Again(notification, error, message);
                    span?.SetStatus(ActivityStatusCode.Error);
                    if (connection is null || (exception is ChannelUnavailableException && Channel != NotificationChannel.Email))
                    {
                        // Nobody there: the others would only find out the same.
                        LogChannelUnavailable(ChannelName, exception.InnerException?.GetType().Name ?? exception.GetType().Name);
                        outage = true;
                        return;
                    }

                    await connection.DisposeAsync();
                    connection = null;
                }
            }
        }
        finally
        {
            _outages = outage ? _outages + 1 : 0;
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }
        }
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

    /// <summary>The message, or null and the reason why it can never be sent. What somebody wants, and where they are reached, counts as it is now.</summary>
    private RenderedMessage? Prepare(
        ClaimedNotification notification, Facts known,
        IReadOnlyDictionary<TemplateKey, StoredTemplate> stored, out string? problem)
    {
        CustomersClient.Customer? customer = null;
        string? address;
        var isRole = false;
        if (notification.CustomerId is { } id)
        {
            customer = known.Customers?.GetValueOrDefault(id);
            address = customer is null ? null : AddressOf(customer);
            problem = notification switch
            {
                { Erased: true } => Notification.CustomerErased,
                _ when customer is null || string.Equals(customer.Status, "erased", StringComparison.Ordinal) => "Customers does not know the customer; erased, or never was.",
                { Wanted: false } => $"The customer does not want {ChannelName}.",
                _ when string.IsNullOrWhiteSpace(address) => $"The customer has no {AddressName}.",
                _ => null,
            };
        }
        else if (Guid.TryParse(notification.RecipientRef, out _))
        {
            address = notification.StaffAddress;
            problem = notification switch
            {
                { StaffName: null } => "The member of staff has been deleted.",
                { Wanted: false } => $"The member of staff does not want {ChannelName}.",
                _ when string.IsNullOrWhiteSpace(address) => $"The member of staff has no {AddressName}.",
                _ => null,
            };
        }
        else
        {
            isRole = true;
            address = AddressOfRole(notification.RecipientRef);
            problem = string.IsNullOrWhiteSpace(address) ? $"Notifications:Staff names no address for the role {notification.RecipientRef}." : null;
        }

        if (problem is null && !IsAddress(address!, isRole))
        {
            problem = $"The {AddressName} cannot be one.";
        }

        if (problem is not null)
        {
            return null;
        }

        try
        {
            return renderer.Render(notification, stored, Channel, known, address!, customer?.Name ?? notification.StaffName, customer?.Language);
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
        // Timers are too coarse for more than 50 periods a second.
        var perPeriod = Math.Max(1, _options.MaxSendsPerSecond / 50);
        return new(new()
        {
            TokenLimit = perPeriod,
            TokensPerPeriod = perPeriod,
            ReplenishmentPeriod = TimeSpan.FromSeconds((double)perPeriod / _options.MaxSendsPerSecond),
            QueueLimit = 1,
            AutoReplenishment = true,
        });
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

/// <summary>Serves a batch of messages and is used by one sender at a time.</summary>
internal interface IMessageConnection : IAsyncDisposable
{
    /// <exception cref="MessageNotTakenException">This message was not taken; the next one may be.</exception>
    /// <exception cref="ChannelUnavailableException">The connection is lost.</exception>
    Task SendAsync(Guid id, RenderedMessage message, CancellationToken cancellationToken);
}

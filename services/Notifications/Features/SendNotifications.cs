using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using MimeKit;
using Npgsql;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Features;

/// <summary>
/// Sends what is due: claims a batch, looks the addresses up in one call, sends each mail alone at the permitted pace, and writes what became of them.
/// No transaction is open meanwhile. A crash between sending and writing sends again when the lease ends, with the same Message-ID:
/// mail is delivered at least once.
/// </summary>
internal sealed partial class SendNotifications(
    NotificationQueue queue, CustomersClient customers, MailRenderer renderer, IEmailChannel email, SendSignal signal,
    IOptions<NotificationOptions> options, TimeProvider time, ILogger<SendNotifications> logger) : BackgroundService
{
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_sendTimeout = TimeSpan.FromSeconds(10);

    private readonly NotificationOptions _options = options.Value;
    private readonly MailboxAddress _from = MailboxAddress.Parse(options.Value.From);
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
                    await signal.WaitAsync(NotificationChannel.Email, _options.PollInterval, stoppingToken);
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
        var claimed = await queue.ClaimAsync(claim, limit, _options.Lease, stopping);
        if (claimed.Count == 0)
        {
            _outages = 0;
            return 0;
        }

        using var span = NotificationTelemetry.StartBatch(claimed);
        var results = new Dictionary<Guid, SendResult>(claimed.Count);
        try
        {
            await SendAsync(claimed, results, pace, stopping);
        }
        finally
        {
            // What was not reached, for whatever reason, is due again at once.
            await FinishAsync(claim, [.. claimed.Select(n => results.GetValueOrDefault(n.Id) ?? SendResult.Untouched(n.Id))]);
        }

        return claimed.Count;
    }

    private async Task SendAsync(
        List<ClaimedNotification> claimed, Dictionary<Guid, SendResult> results, TokenBucketRateLimiter pace, CancellationToken stopping)
    {
        var started = time.GetTimestamp();
        var ids = claimed.Where(n => n.CustomerId is not null && n.Erased != true).Select(n => n.CustomerId!.Value).ToHashSet();
        var found = ids.Count == 0 ? new Dictionary<Guid, CustomersClient.Customer>() : await customers.FindAsync(ids, stopping);
        var outage = found is null;

        IEmailConnection? connection = null;
        try
        {
            foreach (var notification in claimed)
            {
                if (stopping.IsCancellationRequested || time.GetElapsedTime(started) > _options.Lease / 2)
                {
                    return;
                }

                if (notification.CustomerId is not null && notification.Erased != true && found is null)
                {
                    // Not the notification's fault, so not one of its attempts.
                    results[notification.Id] = new(
                        notification.Id, NotificationStatus.Pending, Attempted: false, _options.Backoff(_outages + 1, s_longestPause), "Customers does not answer.");
                    continue;
                }

                if (Prepare(notification, found, out var problem) is not { } mail)
                {
                    results[notification.Id] = GiveUp(notification, problem!);
                    continue;
                }

                using var permit = await pace.AcquireAsync(1, stopping);
                using var span = NotificationTelemetry.StartSend("send email", notification.TraceParent, notification.Id, notification.Template);
                try
                {
                    // Not the stopping token: a mail that is on its way when the service is told to stop is sent, and known to be.
                    using var timeout = new CancellationTokenSource(s_sendTimeout);
                    connection ??= await email.ConnectAsync(timeout.Token);
                    await connection.SendAsync(MailRenderer.ToMessage(notification.Id, mail, _from, time.GetUtcNow()), timeout.Token);
                    results[notification.Id] = new(notification.Id, NotificationStatus.Sent, Attempted: true, Mail: mail);
                    NotificationTelemetry.Sent.Add(1);
                }
                catch (MailNotTakenException exception)
                {
                    results[notification.Id] = Again(notification, exception.Message, mail);
                    span?.SetStatus(ActivityStatusCode.Error);
                }
                catch (Exception exception) when (exception is ChannelUnavailableException or OperationCanceledException)
                {
                    var error = exception is ChannelUnavailableException ? exception.Message : "The mail server did not answer in time.";
                    results[notification.Id] = Again(notification, error, mail);
                    span?.SetStatus(ActivityStatusCode.Error);
                    if (connection is null)
                    {
                        // Nobody there: the others would only find out the same.
                        LogChannelUnavailable(exception.InnerException?.GetType().Name ?? exception.GetType().Name);
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

    /// <summary>The mail, or null and the reason why it can never be sent.</summary>
    private RenderedMail? Prepare(ClaimedNotification notification, IReadOnlyDictionary<Guid, CustomersClient.Customer>? found, out string? problem)
    {
        CustomersClient.Customer? customer = null;
        string? address;
        if (notification.CustomerId is { } id)
        {
            customer = found?.GetValueOrDefault(id);
            address = customer?.Email;
            problem = notification switch
            {
                { Erased: true } => CustomerUpdatedHandler.Erased,
                _ when customer is null || string.Equals(customer.Status, "erased", StringComparison.Ordinal) => "Customers does not know the customer; erased, or never was.",
                { WantsEmail: false } => "The customer does not want e-mail.",
                _ when string.IsNullOrWhiteSpace(address) => "The customer has no e-mail address.",
                _ => null,
            };
        }
        else
        {
            address = _options.Staff.TryGetValue(notification.RecipientRef, out var addresses) ? string.Join(", ", addresses) : null;
            problem = string.IsNullOrWhiteSpace(address) ? $"Notifications:Staff names no address for the role {notification.RecipientRef}." : null;
        }

        // A customer is one address; a list in its place would send her mail to others.
        if (problem is null && !(customer is null ? InternetAddressList.TryParse(address, out _) : MailboxAddress.TryParse(address, out _)))
        {
            problem = "The address is not an e-mail address.";
        }

        if (problem is not null)
        {
            return null;
        }

        try
        {
            return renderer.Render(notification, address!, customer?.Name, customer?.Language);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException)
        {
            problem = $"Its template cannot be filled: {exception.Message}";
            return null;
        }
    }

    /// <summary>Due again later, or given up when it was tried often enough.</summary>
    private SendResult Again(ClaimedNotification notification, string error, RenderedMail mail)
    {
        var attempt = notification.AttemptsOfThisRound + 1;
        if (attempt >= _options.MaxAttempts)
        {
            return GiveUp(notification, error, mail);
        }

        LogRetry(notification.Id, attempt);
        return new(notification.Id, NotificationStatus.Pending, Attempted: true, _options.Backoff(attempt, _options.MaxRetryDelay), error, mail);
    }

    private SendResult GiveUp(ClaimedNotification notification, string error, RenderedMail? mail = null)
    {
        NotificationTelemetry.Failed.Add(1);
        LogGivenUp(notification.Id, notification.Template);
        return new(notification.Id, NotificationStatus.Failed, Attempted: true, Error: error, Mail: mail);
    }

    /// <summary>These mails are out, so that must not be forgotten for a short absence of the database.</summary>
    private async Task FinishAsync(Guid claim, List<SendResult> results)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await queue.FinishAsync(claim, results, CancellationToken.None);
                return;
            }
            catch (NpgsqlException exception) when (exception.IsTransient && attempt < 5)
            {
                LogNotWritten(exception, attempt);
                await Task.Delay(TimeSpan.FromMilliseconds(100 * attempt * attempt), time);
            }
        }
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "The mail channel does not work ({Reason}); notifications wait")]
    private partial void LogChannelUnavailable(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Notification {Id} was not taken at attempt {Attempt}; tried again later")]
    private partial void LogRetry(Guid id, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Notification {Id} ({Template}) is given up; its lastError says why")]
    private partial void LogGivenUp(Guid id, string template);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The results of a batch could not be written (attempt {Attempt})")]
    private partial void LogNotWritten(Exception exception, int attempt);
}

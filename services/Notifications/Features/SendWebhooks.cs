using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.Features;

/// <summary>
/// Delivers events to webhooks. Each endpoint has its own lane: a few requests at the same time, and after several failures in a row a growing
/// pause, so that a slow or dead endpoint delays no other. After a crash between an answer and writing it, the event is delivered again with the
/// same Webhook-Id.
/// </summary>
internal sealed partial class SendWebhooks(
    WebhookQueue queue, WebhookChannel channel, SendSignal signal, IOptions<NotificationOptions> options, TimeProvider time, ILogger<SendWebhooks> logger)
    : BackgroundService
{
    /// <summary>Deliveries that an endpoint gets from one claim, and how many of them at the same time.</summary>
    private const int PerEndpoint = 16, Parallel = 4;

    /// <summary>Endpoints that are worked on at the same time.</summary>
    private const int MaxEndpoints = 128;

    /// <summary>Failures in a row after which an endpoint is paused.</summary>
    private const int FailuresToPause = 5;

    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(5);

    private readonly NotificationOptions _options = options.Value;
    private readonly ConcurrentDictionary<Guid, Endpoint> _endpoints = new();
    private readonly ConcurrentDictionary<Guid, Task> _running = new();

    [SuppressMessage("Design", "CA1031", Justification = "Otherwise the service would end, or its deliveries would stop.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var nextCleaning = time.GetUtcNow();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (time.GetUtcNow() >= nextCleaning)
                {
                    nextCleaning = time.GetUtcNow() + TimeSpan.FromMinutes(1);
                    await queue.CleanAsync(_options.Webhooks.MaxAge, stoppingToken);
                }

                if (_running.Count >= MaxEndpoints || await StartDueAsync(stoppingToken) == 0)
                {
                    await signal.WaitAsync(NotificationChannel.Webhook, _options.PollInterval, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception)
            {
                LogFailed(exception);
                await Task.Delay(TimeSpan.FromSeconds(1), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await Task.WhenAll(_running.Values);
    }

    private async Task<int> StartDueAsync(CancellationToken stopping)
    {
        var now = time.GetUtcNow();
        foreach (var (id, endpoint) in _endpoints)
        {
            // Forgets endpoints without failures, or whose last failure is long ago. This also forgets deleted webhooks.
            if (!_running.ContainsKey(id) && (endpoint.Failures == 0 || endpoint.LastFailure < now - s_longestPause - s_longestPause))
            {
                _endpoints.TryRemove(id, out _);
            }
        }

        Guid[] busy = [.. _running.Keys, .. _endpoints.Where(e => e.Value.PausedUntil > now).Select(e => e.Key)];
        Guid[] probation = [.. _endpoints.Where(e => e.Value.Failures >= FailuresToPause).Select(e => e.Key)];
        var claim = Guid.CreateVersion7();
        var claimed = await queue.ClaimAsync(
            claim, busy, probation, PerEndpoint, (MaxEndpoints - _running.Count) * PerEndpoint, _options.Lease, stopping);
        foreach (var deliveries in claimed.GroupBy(d => d.WebhookId))
        {
            var endpoint = _endpoints.GetOrAdd(deliveries.Key, _ => new());
            // Added to the dictionary before the task can end and remove itself.
            var start = new TaskCompletionSource();
            _running[deliveries.Key] = RunAsync(start.Task, claim, endpoint, [.. deliveries.OrderBy(d => d.Id)], stopping);
            start.SetResult();
        }

        return claimed.Count;
    }

    [SuppressMessage("Design", "CA1031", Justification = "Usually a database error: the leases expire, and the deliveries are due again.")]
    private async Task RunAsync(Task start, Guid claim, Endpoint endpoint, List<ClaimedDelivery> deliveries, CancellationToken stopping)
    {
        await start;
        var untouched = new ConcurrentBag<Guid>();
        try
        {
            var unwanted = deliveries.Where(d => !d.Wanted).Select(d => d.Id).ToList();
            if (unwanted.Count > 0)
            {
                await queue.GiveUpAsync(claim, unwanted, "The customer does not want webhooks.", CancellationToken.None);
            }

            var started = time.GetTimestamp();
            await System.Threading.Tasks.Parallel.ForEachAsync(
                deliveries.Where(d => d.Wanted),
                new ParallelOptions { MaxDegreeOfParallelism = Parallel },
                async (delivery, _) =>
                {
                    if (stopping.IsCancellationRequested || endpoint.PausedUntil > time.GetUtcNow() || time.GetElapsedTime(started) > _options.Lease / 2)
                    {
                        untouched.Add(delivery.Id);
                    }
                    else
                    {
                        await DeliverAsync(claim, endpoint, delivery);
                    }
                });
            if (!untouched.IsEmpty)
            {
                await queue.ReleaseAsync(claim, [.. untouched], CancellationToken.None);
            }
        }
        catch (Exception exception)
        {
            LogFailed(exception);
        }
        finally
        {
            _running.TryRemove(deliveries[0].WebhookId, out _);
            signal.Wake(NotificationChannel.Webhook);
        }
    }

    private async Task DeliverAsync(Guid claim, Endpoint endpoint, ClaimedDelivery delivery)
    {
        using var span = NotificationTelemetry.StartSend("send webhook", delivery.TraceParent, delivery.Id, WebhookRecorder.Template);
        var (at, started) = (time.GetStorableNow(), time.GetTimestamp());
        var answer = await channel.PostAsync(new(delivery.Url), delivery.Id, delivery.Body, delivery.Secrets);
        var result = new DeliveryResult(NotificationStatus.Sent, TimeSpan.Zero, at, answer.StatusCode, answer.Duration, answer.Error);
        if (answer.Taken)
        {
            endpoint.Recover();
            NotificationTelemetry.Sent.Add(1);
        }
        else
        {
            span?.SetStatus(ActivityStatusCode.Error);
            if (endpoint.Fail(time.GetUtcNow(), failures => Backoff(failures - FailuresToPause + 1, s_longestPause)))
            {
                LogPaused(delivery.WebhookId);
            }

            var attempt = delivery.Attempts - delivery.AttemptsBefore + 1;
            if (answer.RetryAfter is { } retryAfter)
            {
                var pause = retryAfter < _options.Webhooks.MaxRetryAfter ? retryAfter : _options.Webhooks.MaxRetryAfter;
                endpoint.Pause(time.GetUtcNow() + pause);
                result = result with { Pause = pause };
            }

            if (answer.Gone)
            {
                LogGone(delivery.WebhookId);
                // The lane's remaining deliveries are released; the endpoint may be switched on again at any time.
                endpoint.Pause(time.GetUtcNow() + TimeSpan.FromSeconds(1));
                result = result with { Status = NotificationStatus.Failed, Disable = "The endpoint answered 410 (Gone)." };
                NotificationTelemetry.Failed.Add(1);
            }
            else if (attempt < _options.MaxAttempts)
            {
                result = result with { Status = NotificationStatus.Pending, Delay = result.Pause ?? Backoff(attempt, _options.MaxRetryDelay) };
            }
            else
            {
                result = result with { Status = NotificationStatus.Failed };
                NotificationTelemetry.Failed.Add(1);
                LogGivenUp(delivery.Id, delivery.WebhookId);
            }
        }

        // Half of the lease may have passed when the last delivery of a lane begins.
        await LeasedResults.WriteAsync(() => queue.FinishAsync(claim, delivery, result, CancellationToken.None), time, started, _options.Lease / 2);
    }

    private TimeSpan Backoff(int attempt, TimeSpan longest) => _options.Backoff(attempt, longest < _options.MaxRetryDelay ? longest : _options.MaxRetryDelay);

    /// <summary>The recent failures and the pause of an endpoint, as this replica has seen them.</summary>
    private sealed class Endpoint
    {
        private readonly Lock _lock = new();
        private long _pausedUntil;

        public int Failures { get; private set; }

        public DateTimeOffset LastFailure { get; private set; }

        public DateTimeOffset PausedUntil => new(Volatile.Read(ref _pausedUntil), TimeSpan.Zero);

        public void Recover()
        {
            lock (_lock)
            {
                Failures = 0;
                Volatile.Write(ref _pausedUntil, 0);
            }
        }

        /// <summary>Pauses the lane. Deliveries that it has already claimed are released.</summary>
        public void Pause(DateTimeOffset until)
        {
            lock (_lock)
            {
                Volatile.Write(ref _pausedUntil, Math.Max(_pausedUntil, until.UtcTicks));
            }
        }

        /// <summary>True when this failure begins a pause.</summary>
        public bool Fail(DateTimeOffset now, Func<int, TimeSpan> pause)
        {
            lock (_lock)
            {
                Failures++;
                LastFailure = now;
                // Requests that fail during a pause were sent before it: they do not begin another one.
                if (Failures < FailuresToPause || PausedUntil > now)
                {
                    return false;
                }

                Volatile.Write(ref _pausedUntil, (now + pause(Failures)).UtcTicks);
                return true;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhook deliveries could not be read or written; will be retried")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Webhook {Webhook} keeps failing; deliveries to it are paused")]
    private partial void LogPaused(Guid webhook);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhook {Webhook} answered 410; it is switched off")]
    private partial void LogGone(Guid webhook);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Notification {Id} to webhook {Webhook} is given up; its lastError says why")]
    private partial void LogGivenUp(Guid id, Guid webhook);
}

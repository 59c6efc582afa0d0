using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using Npgsql;
using OpenTelemetry;

namespace OrderInventory.Notifications.Data;

/// <summary>Which types of events any webhook wants, as this replica has last read it.</summary>
internal sealed class WebhookInterest
{
    private volatile FrozenSet<string> _wanted = FrozenSet<string>.Empty;

    public bool IsSubscribed(string eventType) => _wanted.Contains(eventType);

    public void Set(IEnumerable<string> wanted) => _wanted = wanted.ToFrozenSet();
}

/// <summary>
/// Keeps <see cref="WebhookInterest"/> up to date, so that events that no webhook wants cost neither an inbox row nor a query. A change through
/// another replica's API is seen after <see cref="NotificationOptions.PollInterval"/>; which webhooks get an event is decided in
/// the event's transaction (<see cref="WebhookRecorder"/>).
/// </summary>
internal sealed partial class WebhookDirectory(
    NpgsqlDataSource database, WebhookInterest interest, IOptions<NotificationOptions> options, ILogger<WebhookDirectory> logger) : BackgroundService
{
    /// <summary>Reads the webhooks now. Code that has changed a webhook calls this after the commit.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin();
        await using var command = database.CreateCommand(
            "SELECT DISTINCT unnest(coalesce(event_types, $1)) FROM webhooks WHERE active");
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. WebhookRecorder.EventTypes] });
        var wanted = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            wanted.Add(reader.GetString(0));
        }

        interest.Set(wanted);
    }

    /// <summary>Reads before the consumers start (it is registered before them), so that they skip no event that a webhook wants.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    [SuppressMessage("Design", "CA1031", Justification = "It continues with the webhooks that it read before.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.PollInterval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await RefreshAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The webhooks could not be read; will be retried")]
    private partial void LogFailed(Exception exception);
}

using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OrderInventory.Notifications.Data;

namespace OrderInventory.Notifications.Features;

/// <summary>
/// Notifies staff of low stock: of a product's first crossing immediately, and then of its state when the quiet time after a message ends.
/// </summary>
internal sealed partial class AnnounceLowStock(
    StaffRecorder staff, SendSignal signal, IOptions<NotificationOptions> options, ILogger<AnnounceLowStock> logger) : BackgroundService
{
    [SuppressMessage("Design", "CA1031", Justification = "The next query finds what could not be announced.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var announced = 0;
            try
            {
                using var quiet = SuppressInstrumentationScope.Begin();
                announced = await staff.AnnounceAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }

            if (announced == 0)
            {
                await signal.WaitForAlertsAsync(options.Value.PollInterval, stoppingToken);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Low stock could not be read or announced; will be retried")]
    private partial void LogFailed(Exception exception);
}

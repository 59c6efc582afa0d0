using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OrderInventory.Notifications.Data;

namespace OrderInventory.Notifications.Features;

/// <summary>
/// Notifies staff of low stock: of a product's first crossing immediately, and then of its state when the quiet time after a message ends.
/// </summary>
internal sealed partial class TellLowStock(
    StaffRecorder staff, SendSignal signal, IOptions<NotificationOptions> options, ILogger<TellLowStock> logger) : BackgroundService
{
    [SuppressMessage("Design", "CA1031", Justification = "What could not be told is still there at the next look.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var told = 0;
            try
            {
                using var quiet = SuppressInstrumentationScope.Begin();
                told = await staff.AnnounceAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }

            if (told == 0)
            {
                await signal.WaitForAlertsAsync(options.Value.PollInterval, stoppingToken);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Low stock cannot be read or told; tried again")]
    private partial void LogFailed(Exception exception);
}

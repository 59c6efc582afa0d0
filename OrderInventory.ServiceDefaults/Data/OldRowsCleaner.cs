using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace OrderInventory.ServiceDefaults.Data;

/// <summary>Every ten minutes, deletes rows that are no longer needed, in steps, so that locks and transactions stay short.</summary>
public abstract partial class OldRowsCleaner(string rows, TimeProvider time, ILogger logger) : BackgroundService
{
    protected TimeProvider Time { get; } = time;

    /// <summary>Deletes at most about ten thousand rows. Returns how many; 0 ends this round.</summary>
    protected abstract Task<int> DeleteSomeAsync(CancellationToken cancellationToken);

    [SuppressMessage("Design", "CA1031", Justification = "Failing to delete old rows must not end the service.")]
    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(10), Time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                while (await DeleteSomeAsync(stoppingToken) > 0)
                {
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(logger, exception, rows);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Old {Rows} could not be deleted; will be retried")]
    private static partial void LogFailed(ILogger logger, Exception exception, string rows);
}

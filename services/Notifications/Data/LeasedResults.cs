using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.Data;

/// <summary>
/// Writes the results of sent messages even if the database is unavailable for a while: as long as the lease runs, no other sender takes them.
/// </summary>
internal static class LeasedResults
{
    /// <param name="write">Writes the results; retried while the database is unavailable.</param>
    /// <param name="time">The clock.</param>
    /// <param name="started">When sending began, by <see cref="TimeProvider.GetTimestamp"/>.</param>
    /// <param name="retryTime">How long after that writing is retried.</param>
    /// <param name="failed">Called with each failure that is followed by a retry, and the attempt's number.</param>
    public static async Task WriteAsync(Func<Task> write, TimeProvider time, long started, TimeSpan retryTime, Action<Exception, int>? failed = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await write();
                return;
            }
            catch (Exception exception) when (exception.IsTransientDatabaseFailure() && time.GetElapsedTime(started) < retryTime)
            {
                failed?.Invoke(exception, attempt);
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(100 * attempt * attempt, 1000)), time);
            }
        }
    }
}

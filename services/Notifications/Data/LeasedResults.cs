using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.Data;

/// <summary>Messages that are out must not be forgotten while the database is away: for as long as they are leased, they are nobody else's.</summary>
internal static class LeasedResults
{
    /// <param name="write">Writes what became of them; repeated while the database is away.</param>
    /// <param name="time">The clock.</param>
    /// <param name="started">When sending them began, by <see cref="TimeProvider.GetTimestamp"/>.</param>
    /// <param name="retryTime">For how long after that it is repeated.</param>
    /// <param name="failed">Told of each failure that is followed by another try, with its number.</param>
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

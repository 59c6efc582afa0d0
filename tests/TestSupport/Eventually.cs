using System.Diagnostics;

namespace OrderInventory.TestSupport;

/// <summary>Waits for what happens a little later, without a fixed delay.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    public static Task TrueAsync(Func<Task<bool>> condition, TimeSpan timeout, string? what = null)
        => NotNullAsync<object>(async () => await condition() ? new object() : null, timeout, what);

    public static Task TrueAsync(Func<bool> condition, TimeSpan timeout, string? what = null)
        => TrueAsync(() => Task.FromResult(condition()), timeout, what);

    /// <returns>The first value that is not null.</returns>
    /// <exception cref="TimeoutException">The time has run out; states what was waited for, and the last error if the probe threw.</exception>
    public static async Task<T> NotNullAsync<T>(Func<Task<T?>> probe, TimeSpan timeout, string? what = null)
        where T : class
    {
        var started = Stopwatch.GetTimestamp();
        Exception? last = null;
        do
        {
            try
            {
                if (await probe() is { } value)
                {
                    return value;
                }

                last = null;
            }
            catch (Exception problem) when (problem is HttpRequestException or IOException or InvalidOperationException or System.Data.Common.DbException)
            {
                // Expected while a server is being stopped or started: probe again.
                last = problem;
            }

            await Task.Delay(Pause);
        }
        while (Stopwatch.GetElapsedTime(started) < timeout);

        throw new TimeoutException($"{what ?? "The condition"} did not come true within {timeout.TotalSeconds:F0} s{(last is null ? "" : $"; last error: {last.Message}")}");
    }
}

namespace OrderInventory.Notifications.Tests.Support;

internal static class Wait
{
    /// <summary>A consumer group takes 8 s to notice a silent member, and then rebalances; a busy machine makes that happen.</summary>
    private const int Seconds = 30;

    /// <summary>Polls until the condition holds, and fails after the given time with the last value it saw.</summary>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> look, Func<T, bool> holds, int seconds = Seconds)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            var seen = await look();
            if (holds(seen))
            {
                return seen;
            }

            try
            {
                await timer.WaitForNextTickAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"After {seconds} s it was still: {(seen is System.Collections.IEnumerable items and not string ? string.Join(", ", items.Cast<object?>()) : seen)}");
            }
        }
    }

    public static Task UntilAsync(Func<bool> holds, int seconds = Seconds) => UntilAsync(() => Task.FromResult(holds()), h => h, seconds);
}

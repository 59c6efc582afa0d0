using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace OrderInventory.TestSupport;

/// <summary>Services that do their work every ten minutes, on a clock that the test moves.</summary>
public static class Rounds
{
    /// <summary>Lets round follow round until what the test waits for is done, and stops the service then: its last round is over.</summary>
    /// <param name="create">Makes the service on the clock given.</param>
    /// <param name="isDone">Looks.</param>
    /// <param name="what">What is waited for.</param>
    public static async Task RunUntilAsync(Func<TimeProvider, BackgroundService> create, Func<Task<bool>> isDone, string what)
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var service = create(time);
        await service.StartAsync(CancellationToken.None);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMinutes(10));
                return isDone();
            },
            TimeSpan.FromSeconds(30), what);
        await service.StopAsync(CancellationToken.None);
    }
}

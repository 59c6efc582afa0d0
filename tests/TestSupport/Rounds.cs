using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace OrderInventory.TestSupport;

/// <summary>Runs services that work every ten minutes on a clock that the test moves.</summary>
public static class Rounds
{
    /// <summary>Runs round after round until what the test waits for is done, then stops the service, so that its last round has ended.</summary>
    /// <param name="create">Makes the service on the given clock.</param>
    /// <param name="isDone">Checks whether it is done.</param>
    /// <param name="what">What the test waits for.</param>
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

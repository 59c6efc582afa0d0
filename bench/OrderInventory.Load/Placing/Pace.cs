namespace OrderInventory.Load.Placing;

/// <summary>
/// The fixed times at which one client of an open loop is to send. The clients of a run share the rate: of N clients each sends every Nth
/// order, so the orders of all come evenly.
/// </summary>
/// <param name="ordersPerSecond">Of all clients.</param>
/// <param name="client">From 0.</param>
/// <param name="clients">How many.</param>
/// <param name="begin">When the first is sent, as time since the start.</param>
internal sealed class Pace(double ordersPerSecond, int client, int clients, TimeSpan begin = default)
{
    /// <summary>When the client's order of this number, from 0, is to be sent, as time since the start.</summary>
    public TimeSpan Due(int number) => begin + TimeSpan.FromSeconds(((double)number * clients + client) / ordersPerSecond);

    /// <summary>Timers are of whole milliseconds, so it may be up to one late. That counts as latency; sending too early would hide some.</summary>
    public static async Task WaitAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        if (time > TimeSpan.Zero)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(time.TotalMilliseconds)), cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}

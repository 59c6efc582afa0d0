namespace OrderInventory.Load.Placing;

/// <summary>
/// The fixed times at which the requests of one client of an open loop are due. The clients of a run share the rate: of N clients each sends
/// every Nth order, so that all orders are evenly spaced.
/// </summary>
/// <param name="ordersPerSecond">The rate of all clients together.</param>
/// <param name="client">The client's number, from 0.</param>
/// <param name="clients">The number of clients.</param>
/// <param name="begin">When the first order is due, as time since the start.</param>
internal sealed class Pace(double ordersPerSecond, int client, int clients, TimeSpan begin = default)
{
    /// <summary>When the client's order of this number, from 0, is due, as time since the start.</summary>
    public TimeSpan Due(int number) => begin + TimeSpan.FromSeconds(((double)number * clients + client) / ordersPerSecond);

    /// <summary>
    /// Waits, up to a millisecond too long, as timers have whole milliseconds. That counts as latency; sending too early would hide some.
    /// </summary>
    public static async Task WaitAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        if (time > TimeSpan.Zero)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(time.TotalMilliseconds)), cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}

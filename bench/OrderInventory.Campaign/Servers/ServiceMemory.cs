using OrderInventory.Load.Processes;

namespace OrderInventory.Campaign.Servers;

/// <summary>Resident memory of all services of all replicas together, while requests are sent.</summary>
/// <param name="replicas">The replicas.</param>
/// <param name="now">Milliseconds since the start of the run.</param>
internal sealed class ServiceMemory(IReadOnlyList<Replica> replicas, Func<double> now)
{
    private readonly List<(double At, long Kilobytes)> _samples = [];

    public async Task WatchAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            _samples.Add((now(), replicas.SelectMany(replica => replica.Processes()).Sum(process => Memory.Resident(process.Id))));
            await Task.Delay(TimeSpan.FromSeconds(2), over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The maximum in a period, in MB; 0 when there is no sample in it.</summary>
    public double Most(double from, double until) =>
        _samples.Where(sample => sample.At >= from && sample.At < until).Select(sample => sample.Kilobytes).DefaultIfEmpty().Max() / 1024.0;
}

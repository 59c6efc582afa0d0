using System.Globalization;

namespace OrderInventory.Campaign.Servers;

/// <summary>Resident memory of all services of all replicas together, while requests are sent.</summary>
/// <param name="cells">The replicas.</param>
/// <param name="now">Milliseconds since the start of the run.</param>
internal sealed class ServiceMemory(IReadOnlyList<Cell> cells, Func<double> now)
{
    private readonly List<(double At, long Bytes)> _samples = [];

    public async Task WatchAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            _samples.Add((now(), cells.SelectMany(cell => cell.Processes()).Sum(process => Resident(process.Id))));
            await Task.Delay(TimeSpan.FromSeconds(2), over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The most of a time, in MB; 0 when none was read in it.</summary>
    public double Most(double from, double until) =>
        _samples.Where(sample => sample.At >= from && sample.At < until).Select(sample => sample.Bytes).DefaultIfEmpty().Max() / 1e6;

    private static long Resident(int process)
    {
        try
        {
            return long.Parse(File.ReadAllText($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
        }
        catch (IOException)
        {
            // It has ended.
            return 0;
        }
    }
}

using OrderInventory.Load.Recorded;
using OrderInventory.Load.Setup;
using Spectre.Console;

namespace OrderInventory.Load.Growth;

/// <summary>The measurements with a number of orders in the tables.</summary>
/// <param name="Orders">The number of orders before the load.</param>
/// <param name="OrdersAfter">The number of orders after the load.</param>
/// <param name="Megabytes">The size of the three databases, before the load.</param>
/// <param name="Load">The load, with 8 clients by default.</param>
/// <param name="Reads">The reads, before the load.</param>
internal sealed record SizeResult(long Orders, long OrdersAfter, double Megabytes, RunResult Load, IReadOnlyList<ReadResult> Reads);

/// <summary>For each size: fills the tables, runs the reconciliation, measures reads and then a load, and runs the reconciliation again.</summary>
internal static class GrowthRun
{
    public static async Task<List<SizeResult>> MeasureAsync(
        Endpoints endpoints, Databases databases, Catalogue catalogue, LoadOptions options, CancellationToken cancellationToken)
    {
        var results = new List<SizeResult>();
        foreach (var size in options.Sizes)
        {
            AnsiConsole.WriteLine($"{size} orders: filling.");
            await new Fill(endpoints, catalogue).FillAsync(size, cancellationToken);
            var (orders, oldest) = await databases.SampleOrdersAsync(options.Reads, cancellationToken);
            var before = await databases.CountOrdersAsync(cancellationToken);
            var megabytes = await databases.SizeAsync(cancellationToken) / 1_048_576.0;
            using var reads = new Reads(endpoints, catalogue, orders, oldest);
            var differences = await reads.CountDifferencesAsync(cancellationToken);
            AnsiConsole.WriteLine($"{size} orders: the reconciliation finds {differences} differences; reading.");
            if (results.Count == 0)
            {
                // At first, code is still to be compiled and caches are empty, which does not depend on the size.
                await reads.MeasureAsync(options.Reads, cancellationToken);
            }

            var read = await reads.MeasureAsync(options.Reads, cancellationToken);
            AnsiConsole.WriteLine($"{size} orders: placing.");
            var load = await new Run(endpoints, databases, catalogue, options, options.Clients[0]).MeasureAsync(cancellationToken);
            var differencesAfter = await reads.CountDifferencesAsync(cancellationToken);
            load = load with
            {
                Failures =
                [
                    .. load.Failures,
                    .. differences > 0 ? [$"The reconciliation found {differences} differences in what was filled in."] : Array.Empty<string>(),
                    .. differencesAfter > 0 ? [$"The reconciliation found {differencesAfter} differences after the load."] : Array.Empty<string>(),
                ],
            };
            results.Add(new(before, await databases.CountOrdersAsync(cancellationToken), megabytes, load, read));
        }

        return results;
    }
}

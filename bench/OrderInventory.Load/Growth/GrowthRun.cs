using OrderInventory.Load.Recorded;
using OrderInventory.Load.Setup;
using Spectre.Console;

namespace OrderInventory.Load.Growth;

/// <summary>What was measured with so many orders in the tables.</summary>
/// <param name="Orders">The size.</param>
/// <param name="OrdersAfter">The load adds its own.</param>
/// <param name="Megabytes">Of the three databases, before the load.</param>
/// <param name="Load">8 clients, unless another number was asked for.</param>
/// <param name="Reads">Before the load.</param>
internal sealed record SizeResult(long Orders, long OrdersAfter, double Megabytes, RunResult Load, IReadOnlyList<ReadResult> Reads);

/// <summary>For each size: fills, checks the books, measures reads and then a load, checks the books again.</summary>
internal static class GrowthRun
{
    public static async Task<List<SizeResult>> MeasureAsync(
        Endpoints endpoints, Databases databases, Catalogue catalogue, LoadOptions options, CancellationToken cancellationToken)
    {
        var results = new List<SizeResult>();
        foreach (var size in options.Sizes)
        {
            AnsiConsole.WriteLine($"{size} orders: filling.");
            await new Fill(endpoints, catalogue).MakeAsync(size, cancellationToken);
            var (orders, oldest) = await databases.SampleOrdersAsync(options.Reads, cancellationToken);
            var before = await databases.CountOrdersAsync(cancellationToken);
            var megabytes = await databases.SizeAsync(cancellationToken) / 1_048_576.0;
            using var reads = new Reads(endpoints, catalogue, orders, oldest);
            var differences = await reads.CountDifferencesAsync(cancellationToken);
            AnsiConsole.WriteLine($"{size} orders: the reconciliation finds {differences} differences; reading.");
            if (results.Count == 0)
            {
                // Code that has never run is compiled first, and caches are empty: that is no matter of the size.
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

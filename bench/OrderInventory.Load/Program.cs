using OrderInventory.Load;
using OrderInventory.Load.Growth;
using OrderInventory.Load.Histories;
using OrderInventory.Load.Processes;
using OrderInventory.Load.Recorded;
using OrderInventory.Load.Setup;
using Spectre.Console;

LoadOptions? options;
try
{
    options = LoadOptions.Parse(args);
}
catch (FormatException problem)
{
    Console.Error.WriteLine(problem.Message);
    return ExitCodes.NotRun;
}

if (options is null)
{
    Console.WriteLine(LoadOptions.Usage);
    return ExitCodes.Good;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, signal) =>
{
    signal.Cancel = true;
    stop.Cancel();
};

try
{
    if (options.Memory)
    {
        Memory.Print(options.AppHostPid!.Value);
        return ExitCodes.Good;
    }

    if (options.IdleSeconds is { } idle)
    {
        await ProcessorTime.PrintIdleAsync(options.AppHostPid!.Value, TimeSpan.FromSeconds(idle), stop.Token);
        return ExitCodes.Good;
    }

    var endpoints = await Endpoints.ReadAsync(options.EndpointsFile, stop.Token);
    if (options.HistoryFile is { } file)
    {
        await HistoryReport.RunAsync(endpoints, file, options, stop.Token);
        return ExitCodes.Good;
    }

    await using var databases = new Databases(endpoints);
    var catalogue = await CatalogueLoader.LoadAsync(endpoints, databases, options, stop.Token);
    if (options.SetupOnly)
    {
        return ExitCodes.Good;
    }

    if (options.Sizes.Count > 0)
    {
        var sizes = await GrowthRun.MeasureAsync(endpoints, databases, catalogue, options, stop.Token);
        await GrowthReport.WriteAsync(sizes, options, stop.Token);
        return sizes.All(size => size.Load.Failures.Count == 0) ? ExitCodes.Good : ExitCodes.CheckFailed;
    }

    var results = new List<RunResult>();
    IReadOnlyList<(int Clients, int? Rate)> columns = options.Rates.Count > 0
        ? [.. options.Rates.Select(rate => (Run.OpenLoopClients, (int?)rate))]
        : [.. options.Clients.Select(clients => (clients, (int?)null))];
    foreach (var (clients, rate) in columns)
    {
        for (var number = 0; number < options.Runs; number++)
        {
            var run = new Run(endpoints, databases, catalogue, options, clients, rate);
            results.Add(await run.MeasureAsync(stop.Token));
        }
    }

    Report.Print(results);
    await Report.WriteAsync(results, options, stop.Token);
    return results.All(result => result.Failures.Count == 0) ? ExitCodes.Good : ExitCodes.CheckFailed;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.Error.WriteLine("Stopped; nothing was measured.");
    return ExitCodes.NotRun;
}
catch (LoadException problem)
{
    Console.Error.WriteLine(problem.Message);
    return ExitCodes.NotRun;
}

using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using OrderInventory.Campaign;
using OrderInventory.Campaign.Faults;
using OrderInventory.Campaign.Servers;
using OrderInventory.Check;
using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;
using OrderInventory.Load;
using OrderInventory.Load.Histories;
using Spectre.Console;

if (args is ["--help" or "-h"])
{
    Console.WriteLine(CampaignOptions.Usage);
    return 0;
}

using var stop = new CancellationTokenSource();
void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
try
{
    return await RunAsync(CampaignOptions.Parse(args), stop.Token);
}
catch (Exception problem) when (problem is CampaignException or LoadException or TimeoutException or Npgsql.NpgsqlException or IOException)
{
    Console.Error.WriteLine($"The campaign was not completed: {problem.Message}");
    return 2;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.Error.WriteLine("Stopped.");
    return 2;
}

static void Say(string text) => Console.WriteLine($"[{TimeProvider.System.GetLocalNow():HH:mm:ss}] {text}");

static async Task<int> RunAsync(CampaignOptions options, CancellationToken cancellationToken)
{
    Say($"Starting {options.Brokers} Kafka, PostgreSQL and Garnet, and {options.Replicas} replica(s) of every service.");
    await using var infrastructure = await Infrastructure.StartAsync(options.Work, options.Brokers, cancellationToken);
    var replicas = new List<Replica>();
    Replica NewReplica(int number) => new(number, options.Work, options.AppHost, infrastructure, Settings(options, number));
    try
    {
        for (var number = 1; number <= options.Replicas; number++)
        {
            var replica = NewReplica(number);
            replicas.Add(replica);
            await replica.StartAsync(cancellationToken);
        }

        Say("The system is healthy.");
        var file = Path.Combine(options.Out ?? options.Work, "history.ndjson");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var setBack = options.BackTo is { } moment ? new SetBack(infrastructure, replicas, moment) : null;
        Figures figures;
        ServiceMemory memory;
        Schedule? schedule = null;
        using (var writer = new HistoryWriter(file))
        using (var run = new HistoryRun(
            [.. replicas.Select(replica => (Func<Endpoints>)(() => replica.Endpoints))],
            new HistoryOptions
            {
                Clients = options.Clients,
                Rate = options.Rate,
                Seconds = options.Seconds,
                Orders = options.Orders,
                Seed = options.Seed,
                MayEnd = () => options.MaxFaults == int.MaxValue || schedule?.Done.Count >= options.MaxFaults,
            }, writer, Say))
        {
            var target = new Target(infrastructure, replicas, NewReplica, () => run.Rate, run.SurgeAsync, new Random(options.Seed));
            schedule = new Schedule([.. Fault.All.Where(fault => options.Faults.Contains(fault.What))], target, options.Gap, options.MaxFaults, options.Seed);
            memory = new ServiceMemory(replicas, () => run.Now);
            await run.RunAsync(
                over => Task.WhenAll(
                    options.Faults.Contains(Fault.Overload) ? memory.WatchAsync(over) : Task.CompletedTask,
                    options.Faults.Count == 0 ? Task.CompletedTask : schedule.RunAsync(() => run.Now, writer, Say, over),
                    setBack?.BackUpAsync(() => run.Now, over) ?? Task.CompletedTask),
                cancellationToken);
            figures = run.Shared.Figures;
        }

        if (setBack is not null)
        {
            Say($"The load has ended; everything is restored to second {options.BackTo}.");
            await setBack.RestoreAsync();
        }

        Say("The load has ended; waiting for the system to become quiet.");
        string? moving;
        using (var quiet = new Quiet(infrastructure.Databases, infrastructure.Kafka))
        {
            moving = await quiet.WaitAsync(TimeSpan.FromSeconds(options.WaitSeconds), Say, cancellationToken);
        }

        var history = await History.ReadAsync(file, cancellationToken);
        var facts = await DatabaseFacts.ReadAsync(infrastructure.Databases, cancellationToken) with { Events = TopicFacts.Read(infrastructure.Kafka, cancellationToken) };
        if (setBack is not null)
        {
            history = setBack.Cut(history);
        }

        var violations = Checker.Check(history, facts, except: setBack is null ? [] : SetBack.SkippedRules).ToList();
        if (moving is not null)
        {
            violations.Insert(0, new("becomes quiet", $"After {options.WaitSeconds} s: {moving}."));
        }

        OrderInventory.Check.Report.Print(file, facts, violations);
        var table = Table(options, history, facts, violations, memory);
        Console.WriteLine(table);
        if (options.Out is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(options.Out, "campaign.md"), table, cancellationToken);
            await HistoryReport.WriteAsync(figures, history, Path.Combine(options.Out, "report.json"), Path.Combine(options.Out, "report.html"), cancellationToken);
        }

        return violations.Count == 0 ? 0 : 1;
    }
    finally
    {
        await Task.WhenAll(replicas.Select(replica => replica.DisposeAsync().AsTask()));
    }
}

static List<string> Settings(CampaignOptions options, int number)
{
    // Orders asks Inventory early about an order whose event was lost, because a campaign is short.
    List<string> settings = ["--Orders:AskAfter=00:00:05", "--Orders:SweepInterval=00:00:02", .. options.Settings];
    var library = Directory.Exists("/usr/lib") ? Directory.EnumerateDirectories("/usr/lib").Select(folder => Path.Combine(folder, "faketime", "libfaketime.so.1")).FirstOrDefault(File.Exists) : null;
    if (options.Faults.Contains("clock") && number == options.Replicas)
    {
        if (library is null)
        {
            throw new CampaignException("The fault 'clock' needs libfaketime (Debian: apt-get install faketime).");
        }

        var file = Path.Combine(options.Work, $"replica-{number.ToString(CultureInfo.InvariantCulture)}", "clock");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, "+0\n");
        settings.AddRange(
            $"--Environment:{options.ClockOf}:LD_PRELOAD={library}", $"--Environment:{options.ClockOf}:FAKETIME_TIMESTAMP_FILE={file}",
            $"--Environment:{options.ClockOf}:FAKETIME_CACHE_DURATION=1", $"--Environment:{options.ClockOf}:FAKETIME_DONT_FAKE_MONOTONIC=1");
    }

    return settings;
}

static string Table(CampaignOptions options, History history, SystemFacts facts, List<Violation> violations, ServiceMemory memory)
{
    var orders = history.Operations.Where(o => o is { Op: Op.Place, IsAcknowledged: true }).Select(o => o.Order).Distinct().Count();
    var table = new StringBuilder().Append(CultureInfo.InvariantCulture, $"""
        | | |
        |---|---|
        | when | {history.Run.StartedAt:yyyy-MM-dd HH:mm} UTC |
        | seed, replicas, brokers, clients | {options.Seed}, {options.Replicas}, {options.Brokers}, {options.Clients} |
        | requests | {history.Operations.Count} ({history.Operations.Count(o => o.Status is null)} without an answer, {history.Operations.Count(o => o.Status >= 500)} answered 5xx) |
        | orders acknowledged | {orders} |
        | orders by status | {string.Join(", ", facts.Orders.GroupBy(o => o.Status).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key}"))} |
        | faults | {(history.Faults.Count == 0 ? "none" : $"{history.Faults.Count}: {string.Join(", ", history.Faults.GroupBy(f => f.What).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key}"))}")} |
        | on | {string.Join(", ", history.Faults.GroupBy(f => f.Where).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key}"))} |
        | records, ledger rows, notifications | {facts.Events.Count}, {facts.Movements.Count}, {facts.Notifications.Count} |
        | dead letters | {facts.DeadLetters.Count} ({history.Faults.Sum(f => f.Poison?.Count ?? 0)} poison records were injected) |
        {OverloadRows.Of(history, memory)}| violations | {(violations.Count == 0 ? "0" : $"{violations.Count}: {string.Join(", ", violations.GroupBy(v => v.Rule).Select(g => $"{g.Count()} {g.Key}"))}")} |

        """);
    return table.ToString();
}

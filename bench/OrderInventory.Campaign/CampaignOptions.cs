using System.Globalization;
using OrderInventory.Campaign.Servers;

namespace OrderInventory.Campaign;

internal sealed record CampaignOptions
{
    public const string Usage =
        """
        bench/campaign.sh: starts the whole system on its own servers, sends requests, injects faults, waits until it is quiet, and checks the result.

          --seed N             seed of the load and of the faults (default 1)
          --seconds S          how long requests are sent (default 60)
          --orders N           end early when N orders are acknowledged and --max-faults, if given, is reached
          --clients N          clients (default 8)
          --rate N             open loop: N requests a second
          --replicas 1|2       replicas of every service (default 1)
          --brokers 1|3        Kafka brokers; 3 with min.insync.replicas=2 (default 1)
          --faults a,b         any of kill, stop, kafka-away, postgres-away, clock, restart, scale, delay, drop, half-open, reset, slow, poison, replay, forget, rewind, lock, connections, migration, restore, disk, kafka-disk, overload; or all, none (default kill,stop)
          --gap S              seconds between two faults, on average (default 6)
          --back-to S          make a backup under load and, after the load, restore everything to second S; topics and mails are then not checked
          --max-faults N       at most N faults
          --clock-of SERVICE   the service whose clock the fault 'clock' shifts (default orders; needs libfaketime, Debian: faketime)
          --wait S             longest wait for the system to become quiet after the load (default 180)
          --out FOLDER         keep history.ndjson, report.html, report.json and campaign.md there
          --apphost FILE       the built OrderInventory.AppHost.dll
          -- ...               settings for the AppHost

        Exit code: 0 every promise was kept; 1 a promise was broken, or the system did not become quiet; 2 the campaign did not run.
        """;

    public int Seed { get; private init; } = 1;
    public int Seconds { get; private init; } = 60;
    public int Orders { get; private init; }
    public int Clients { get; private init; } = 8;
    public int? Rate { get; private init; }
    public int Replicas { get; private init; } = 1;
    public int Brokers { get; private init; } = 1;
    public IReadOnlyList<string> Faults { get; private init; } = ["kill", "stop"];
    public double Gap { get; private init; } = 6;
    public int MaxFaults { get; private init; } = int.MaxValue;
    public int? BackTo { get; private init; }
    public string ClockOf { get; private init; } = "orders";
    public int WaitSeconds { get; private init; } = 180;
    public string? Out { get; private init; }
    public string AppHost { get; private init; } = "";
    public string Work { get; private init; } = "";
    public IReadOnlyList<string> Settings { get; private init; } = [];

    /// <exception cref="CampaignException">An option is unknown or its value is not allowed.</exception>
    public static CampaignOptions Parse(string[] args)
    {
        var options = new CampaignOptions();
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i];
            if (name == "--")
            {
                return options with { Settings = args[(i + 1)..] };
            }

            var value = ++i < args.Length ? args[i] : throw new CampaignException($"{name} needs a value.");
            int Number(int min, int max) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
                ? number : throw new CampaignException($"{name} must be a whole number from {min} to {max}, not '{value}'.");
            options = name switch
            {
                "--seed" => options with { Seed = Number(0, int.MaxValue) },
                "--seconds" => options with { Seconds = Number(1, 36_000) },
                "--orders" => options with { Orders = Number(1, 10_000_000) },
                "--clients" => options with { Clients = Number(1, 500) },
                "--rate" => options with { Rate = Number(1, 100_000) },
                "--replicas" => options with { Replicas = Number(1, 2) },
                "--brokers" => options with { Brokers = Number(1, 3) },
                "--faults" => options with { Faults = value == "all" ? [.. Campaign.Faults.Fault.All.Select(fault => fault.What)] : value == "none" ? [] : value.Split(',') },
                "--gap" => options with { Gap = Number(0, 600) },
                "--back-to" => options with { BackTo = Number(12, 36_000) },
                "--max-faults" => options with { MaxFaults = Number(0, 100_000) },
                "--clock-of" => options with { ClockOf = value },
                "--wait" => options with { WaitSeconds = Number(1, 3600) },
                "--out" => options with { Out = Path.GetFullPath(value) },
                "--apphost" => options with { AppHost = Path.GetFullPath(value) },
                "--work" => options with { Work = Path.GetFullPath(value) },
                _ => throw new CampaignException($"{name} is not an option.\n\n{Usage}"),
            };
        }

        return options.Checked();
    }

    /// <exception cref="CampaignException">A fault or service is unknown, or one option contradicts another.</exception>
    private CampaignOptions Checked()
    {
        string? wrong =
            Faults.FirstOrDefault(what => Campaign.Faults.Fault.All.All(fault => fault.What != what)) is { } unknown ? $"'{unknown}' is not a fault."
            : !Replica.Services.Contains(ClockOf) ? $"--clock-of must be one of {string.Join(", ", Replica.Services)}, not '{ClockOf}'."
            : BackTo > Seconds ? $"--back-to {BackTo} is after the end of the load (--seconds {Seconds})."
            : BackTo is not null && Faults.Contains("restore") ? "--back-to needs the server that the fault 'restore' replaces: leave out one of them."
            : null;
        return wrong is null ? this : throw new CampaignException($"{wrong}\n\n{Usage}");
    }
}

using System.Globalization;

namespace OrderInventory.Load;

/// <summary>The command line.</summary>
internal sealed record LoadOptions
{
    public const string Usage =
        """
        OrderInventory.Load: places orders and measures until the last one is confirmed and its notifications are recorded.

          --endpoints FILE     the file that the running system wrote (default: .run/endpoints.json, here or in a parent folder)
          --clients 1,8,32     closed-loop clients, one column for each number (default 8)
          --rates 100,200      open loop instead: orders a second regardless of the answers, one column for each rate
          --runs N             runs of each column; the table then has the median, the minimum and the maximum (default 1)
          --seconds S          how long orders are placed in each run (default 20)
          --warm-up S          warm-up before each run, not counted (default 5)
          --first-seconds S    right after a start: no warm-up, S seconds, placed/s of every second
          --settle-mails S     before each run wait up to S seconds until no mail is pending, and give up those that still are (default: do not wait)
          --wait S             longest wait, after the placing, for the last order to be decided and its notifications recorded (default 60)
          --products N         products to order from, with stock (default 1000)
          --customers N        customers who order (default 100)
          --lines N            distinct products in an order (default 3)
          --stock N            units on hand of each product (default 1000000)
          --seed N             seed of the random products and quantities (default 1)
          --through-gateway    place orders at the gateway, not directly at the Orders service
          --apphost-pid PID    also show the processor time that the system's processes use for an order (Linux)
          --setup-only         create products, stock and customers, and stop
          --growth 1000,10000  for each size fill the tables with that many orders by SQL, and measure; --reads N calls of each read (default 50)
          --svg FILE           write the plot of --growth
          --idle S             instead of a load: the processor time that the idle system uses in S seconds (with --apphost-pid)
          --memory             instead of a load: the memory of the system's processes (with --apphost-pid)
          --history FILE       instead of placing orders only: a mix of requests for --seconds by --clients (or at --rates, requests a second),
                               each written to FILE for OrderInventory.Check
          --orders N           with --history: end early when N orders are acknowledged
          --html FILE          with --history: a page with plots
          --json FILE          write all figures as JSON
          --markdown FILE      write the table as Markdown

        Exit code: 0 success; 1 an order was lost, undecided or without its notifications in time, or stock was oversold; 2 not measured.
        """;

    public string? EndpointsFile { get; private init; }
    public IReadOnlyList<int> Clients { get; private init; } = [8];
    public IReadOnlyList<int> Rates { get; private init; } = [];
    public int Runs { get; private init; } = 1;
    public int Seconds { get; private init; } = 20;
    public int WarmUpSeconds { get; private init; } = 5;
    public bool IsAfterStart { get; private init; }
    public int? SettleMailsSeconds { get; private init; }
    public int WaitSeconds { get; private init; } = 60;
    public int Products { get; private init; } = 1000;
    public int Customers { get; private init; } = 100;
    public int Lines { get; private init; } = 3;
    public int Stock { get; private init; } = 1_000_000;
    public int Seed { get; private init; } = 1;
    public bool ThroughGateway { get; private init; }
    public int? AppHostPid { get; private init; }
    public bool SetupOnly { get; private init; }
    public IReadOnlyList<int> Sizes { get; private init; } = [];
    public int Reads { get; private init; } = 50;
    public int? IdleSeconds { get; private init; }
    public bool Memory { get; private init; }
    public string? SvgFile { get; private init; }
    public string? HistoryFile { get; private init; }
    public int Orders { get; private init; }
    public string? HtmlFile { get; private init; }
    public string? JsonFile { get; private init; }
    public string? MarkdownFile { get; private init; }

    /// <summary>Null when help was asked for.</summary>
    /// <exception cref="FormatException">An option is unknown or its value is not allowed; the message says which.</exception>
    public static LoadOptions? Parse(string[] args)
    {
        var options = new LoadOptions();
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i];
            string Value() => ++i < args.Length ? args[i] : throw new FormatException($"{name} needs a value; --help lists the options.");
            switch (name)
            {
                case "--help" or "-h":
                    return null;
                case "--endpoints":
                    options = options with { EndpointsFile = Value() };
                    break;
                case "--clients":
                    options = options with { Clients = Numbers(name, Value(), 1, 1000) };
                    break;
                case "--rates":
                    options = options with { Rates = Numbers(name, Value(), 1, 100_000) };
                    break;
                case "--runs":
                    options = options with { Runs = Number(name, Value(), 1, 99) };
                    break;
                case "--seconds":
                    options = options with { Seconds = Number(name, Value(), 1, 36_000) };
                    break;
                case "--warm-up":
                    options = options with { WarmUpSeconds = Number(name, Value(), 0, 600) };
                    break;
                case "--first-seconds":
                    options = options with { Seconds = Number(name, Value(), 1, 600), WarmUpSeconds = 0, IsAfterStart = true };
                    break;
                case "--settle-mails":
                    options = options with { SettleMailsSeconds = Number(name, Value(), 0, 3600) };
                    break;
                case "--wait":
                    options = options with { WaitSeconds = Number(name, Value(), 1, 3600) };
                    break;
                case "--products":
                    options = options with { Products = Number(name, Value(), 1, 9999) };
                    break;
                case "--customers":
                    options = options with { Customers = Number(name, Value(), 1, 9999) };
                    break;
                case "--lines":
                    options = options with { Lines = Number(name, Value(), 1, 100) };
                    break;
                case "--stock":
                    options = options with { Stock = Number(name, Value(), 0, 1_000_000_000) };
                    break;
                case "--seed":
                    options = options with { Seed = Number(name, Value(), 0, int.MaxValue) };
                    break;
                case "--through-gateway":
                    options = options with { ThroughGateway = true };
                    break;
                case "--apphost-pid":
                    options = options with { AppHostPid = Number(name, Value(), 1, int.MaxValue) };
                    break;
                case "--setup-only":
                    options = options with { SetupOnly = true };
                    break;
                case "--growth":
                    options = options with { Sizes = Numbers(name, Value(), 1, 10_000_000) };
                    break;
                case "--reads":
                    options = options with { Reads = Number(name, Value(), 1, 10_000) };
                    break;
                case "--svg":
                    options = options with { SvgFile = Value() };
                    break;
                case "--idle":
                    options = options with { IdleSeconds = Number(name, Value(), 1, 3600) };
                    break;
                case "--memory":
                    options = options with { Memory = true };
                    break;
                case "--history":
                    options = options with { HistoryFile = Value() };
                    break;
                case "--orders":
                    options = options with { Orders = Number(name, Value(), 1, 10_000_000) };
                    break;
                case "--html":
                    options = options with { HtmlFile = Value() };
                    break;
                case "--json":
                    options = options with { JsonFile = Value() };
                    break;
                case "--markdown":
                    options = options with { MarkdownFile = Value() };
                    break;
                default:
                    throw new FormatException($"{name} is not an option; --help lists them.");
            }
        }

        return options.Lines > options.Products ? throw new FormatException("--lines needs more distinct products than --products creates.")
            : (options.Memory || options.IdleSeconds is not null) && options.AppHostPid is null ? throw new FormatException("--idle and --memory need --apphost-pid.")
            : options.Sizes.Count > 0 && (options.Products < 100 || !options.Sizes.SequenceEqual(options.Sizes.Order()))
                ? throw new FormatException("--growth needs increasing sizes, and at least 100 products.")
            : options;
    }

    private static int[] Numbers(string name, string text, int min, int max) => [.. text.Split(',').Select(number => Number(name, number, min, max))];

    private static int Number(string name, string text, int min, int max) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new FormatException($"{name} must be a whole number from {min} to {max}, not '{text}'.");
}

using System.Text.Json;
using System.Text.Json.Serialization;
using OrderInventory.Check;
using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;
using Spectre.Console;

const string Usage =
    """
    OrderInventory.Check: checks a history of requests, the databases and the topics against the promises in docs/guarantees.md.

      HISTORY              the file that OrderInventory.Load --history wrote
      --endpoints FILE     the file that the running system wrote (default: .run/endpoints.json)
      --wait S             longest wait for the system to become quiet (default 120)

    Exit code: 0 no violation; 1 a promise was broken; 2 not checked.
    """;

if (args.Length == 0 || args[0] is "--help" or "-h")
{
    Console.WriteLine(Usage);
    return args.Length == 0 ? 2 : 0;
}

string Option(string name, string otherwise) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;

try
{
    var endpoints = JsonSerializer.Deserialize(await File.ReadAllTextAsync(Option("--endpoints", ".run/endpoints.json")), EndpointsJson.Default.CheckEndpoints)!;
    var history = await History.ReadAsync(args[0], default);
    using (var quiet = new Quiet(endpoints.Postgres, endpoints.Kafka))
    {
        if (await quiet.WaitAsync(TimeSpan.FromSeconds(int.Parse(Option("--wait", "120"), System.Globalization.CultureInfo.InvariantCulture)), AnsiConsole.WriteLine, default) is { } moving)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]The system did not become quiet: {moving}.[/]");
        }
    }

    var facts = await DatabaseFacts.ReadAsync(endpoints.Postgres, default) with { Events = TopicFacts.Read(endpoints.Kafka, default) };
    var violations = Checker.Check(history, facts);
    Report.Print(args[0], facts, violations);
    return violations.Count == 0 ? 0 : 1;
}
catch (Exception problem) when (problem is IOException or InvalidDataException or JsonException or Npgsql.NpgsqlException or TimeoutException or FormatException)
{
    Console.Error.WriteLine(problem.Message);
    return 2;
}

internal sealed record CheckEndpoints(IReadOnlyDictionary<string, string> Postgres, string Kafka);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CheckEndpoints))]
internal sealed partial class EndpointsJson : JsonSerializerContext;

using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Npgsql;
using OrderInventory.AppHost.Demo;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>Runs the commands of README.md and docs in reading order, on the system that README's first command starts.</summary>
public sealed partial class DocumentCommandsTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    /// <summary>Languages of blocks that are not commands.</summary>
    private static readonly string[] Shown = ["text", "json", "mermaid", "csharp", "http", "xml"];

    /// <summary>The programs with which a command in a document's script may begin.</summary>
    private static readonly string[] Run = ["curl", "jq"];

    /// <summary>Commands that would start a system or a test run inside this one, each with a check that throws if a reader would fail.</summary>
    private static readonly Dictionary<string, Action<string[]>> CheckedInstead = new()
    {
        ["./run.sh"] = arguments =>
        {
            IsScript("run.sh");
            Assert.All(arguments, argument => Assert.Contains($"\"{argument}\"", Read("OrderInventory.AppHost/AppHostSettings.cs"), StringComparison.Ordinal));
        },
        ["./test.sh"] = arguments =>
        {
            IsScript("test.sh");
            Assert.All(arguments, argument => Assert.Contains(Directory.EnumerateDirectories(PathOf("tests")), folder => Path.GetFileName(folder).Contains(argument, StringComparison.Ordinal)));
        },
        ["bench/measure.sh"] = arguments =>
        {
            IsScript("bench/measure.sh");
            Assert.All(arguments.Where(argument => argument.StartsWith('-')), argument => Assert.Contains($"{argument})", Read("bench/measure.sh"), StringComparison.Ordinal));
        },
        ["bench/campaign.sh"] = arguments =>
        {
            IsScript("bench/campaign.sh");
            Assert.All(
                arguments.Where(argument => argument.StartsWith('-') && argument != "--help"),
                argument => Assert.Contains($"\"{argument}\" =>", Read("bench/OrderInventory.Campaign/CampaignOptions.cs"), StringComparison.Ordinal));
        },
        ["bench/mutants.sh"] = arguments =>
        {
            IsScript("bench/mutants.sh");
            Assert.Empty(arguments);
        },
        ["dotnet build"] = arguments => Assert.Equal(["-c", "Release"], arguments),
        ["dotnet test"] = arguments =>
        {
            Assert.Equal(["-c", "Release", "--filter"], arguments[1..^1]);
            Assert.Single(Directory.EnumerateFiles(PathOf(arguments[0]), "*.csproj"));
            Assert.Contains(
                Directory.EnumerateFiles(PathOf(arguments[0]), "*.cs", SearchOption.AllDirectories),
                file => Path.GetFileName(file).StartsWith(arguments[^1].Split('~')[1], StringComparison.Ordinal));
        },
    };

    [Fact]
    public async Task Every_command_of_every_document_works_after_those_before_it()
    {
        await using var system = await AppHostProcess.StartAsync(arguments: "--demo");
        var lastCustomer = DemoCatalogue.Orders[^1].Customer;
        await Eventually.TrueAsync(() => system.Output.Split('\n').Any(line => line.StartsWith("Demo: ", StringComparison.Ordinal) && line.Contains(lastCustomer, StringComparison.Ordinal)), Timeout, "the demo's last order");
        var databases = JsonNode.Parse(await File.ReadAllTextAsync(system.EndpointsFile))!["postgres"]!.AsObject();
        Assert.Equal(5, databases.Count);

        foreach (var document in Documents())
        {
            var blocks = Blocks(document).ToList();
            foreach (var sql in blocks.Where(block => block.Language == "sql"))
            {
                foreach (var (name, connection) in databases)
                {
                    await QueryAsync($"{document}, database {name}", (string)connection!, sql.Text);
                }
            }

            var commands = blocks.Where(block => block.Language == "bash").SelectMany(block => Commands(document, block.Text)).Where(command => command.Runs).Select(command => command.Line).ToList();
            if (commands.Count == 0)
            {
                continue;
            }

            var output = await RunScriptAsync(document, string.Join('\n', commands), system);
            if (document == "README.md")
            {
                Assert.Matches("\"status\": *\"confirmed\"", output);
                Assert.Matches("\"reserved\": *3\\b", output[output.LastIndexOf("\"onHand\"", StringComparison.Ordinal)..]);
            }
        }
    }

    [Fact]
    public void Every_block_says_what_it_is_and_every_command_is_known()
    {
        var seen = new HashSet<string>();
        foreach (var document in Documents())
        {
            foreach (var (language, text) in Blocks(document))
            {
                Assert.True(language is "bash" or "sql" || Shown.Contains(language), $"{document}: a block is labelled \"{language}\": bash, sql, or {string.Join(", ", Shown)} is expected. It begins {text[..Math.Min(60, text.Length)]}");
                if (language != "bash")
                {
                    continue;
                }

                foreach (var command in Commands(document, text).Where(command => !command.Runs))
                {
                    CheckedInstead[command.Program](command.Arguments);
                    seen.Add(command.Program);
                }
            }
        }

        // A command that no document has any more must leave the list.
        Assert.Equal(CheckedInstead.Keys.Order(), seen.Order());
    }

    /// <summary>README.md, then the documents that it links to in its order, then the rest.</summary>
    private static List<string> Documents()
    {
        var all = Directory.EnumerateFiles(PathOf("docs"), "*.md", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Repository.Root, file)).Order().ToList();
        var linked = Link().Matches(Read("README.md")).Select(match => match.Groups["target"].Value).Where(all.Contains);
        return [.. new[] { "README.md" }.Concat(linked).Concat(all).Distinct()];
    }

    private static IEnumerable<(string Language, string Text)> Blocks(string document) =>
        Fence().Matches(Read(document)).Select(match => (match.Groups["language"].Value.Trim(), match.Groups["text"].Value));

    private static IEnumerable<Command> Commands(string document, string block)
    {
        // A line that ends with a backslash continues in the next one.
        foreach (var line in block.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n').Where(line => line.Trim() is { Length: > 0 } text && text[0] != '#'))
        {
            var parts = CommandLine().Match(line);
            var (program, rest) = (parts.Groups["program"].Value, parts.Groups["rest"].Value);
            var runs = Run.Contains(program) || Assignment().IsMatch(program);
            var arguments = rest.Split(" #")[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (program == "dotnet" && arguments.Length > 0)
            {
                (program, arguments) = ($"dotnet {arguments[0]}", arguments[1..]);
            }

            Assert.True(runs || CheckedInstead.ContainsKey(program), $"{document} has a command that no test runs: {line}. Add to {nameof(CheckedInstead)} how it is checked.");
            yield return new(line, program, arguments, runs);
        }
    }

    /// <summary>Runs a document's commands as one script, as if typed into one shell.</summary>
    private static async Task<string> RunScriptAsync(string document, string commands, AppHostProcess system)
    {
        const string end = "=== variables ===";
        var variables = Assignment().Matches(commands).Select(match => match.Groups["name"].Value).Distinct();
        var script = $"{commands.Replace("http://127.0.0.1:8080", system.Gateway.ToString().TrimEnd('/'), StringComparison.Ordinal).Replace(".run/endpoints.json", system.EndpointsFile, StringComparison.Ordinal)}\nprintf '\\n%s\\n' '{end}'\n"
            + string.Join('\n', variables.Select(name => $"printf '%s=%s\\n' {name} \"${name}\""));

        var (exitCode, output) = await ProgramRun.RunAsync("bash", ["-euo", "pipefail"], script);

        Assert.True(exitCode == 0, $"{document}: exit code {exitCode} of\n{script}\nwhich printed\n{output}");
        var parts = output.Split(end);
        Assert.False(ProblemStatus().IsMatch(parts[0]), $"{document}: an answer is a problem:\n{output}");
        Assert.True(parts[1].Split('\n', StringSplitOptions.RemoveEmptyEntries).All(line => line.Split('=', 2)[1] is not ("" or "null")), $"{document}: a variable has no value:\n{output}");
        return parts[0];
    }

    private static async Task QueryAsync(string where, string connectionString, string sql)
    {
        var connection = new NpgsqlConnectionStringBuilder(connectionString);
        var (exitCode, output) = await ProgramRun.RunAsync(
            Psql(), ["--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-f", "-"], sql,
            ("PGHOST", connection.Host!), ("PGPORT", connection.Port.ToString(CultureInfo.InvariantCulture)), ("PGUSER", connection.Username!),
            ("PGPASSWORD", connection.Password!), ("PGDATABASE", connection.Database!));
        Assert.True(exitCode == 0, $"{where}: {output}");
    }

    /// <summary>Debian keeps the servers' programs out of PATH; psql is in the same folder.</summary>
    private static string Psql() =>
        Directory.Exists("/usr/lib/postgresql") && Directory.EnumerateDirectories("/usr/lib/postgresql").Select(folder => Path.Combine(folder, "bin", "psql")).FirstOrDefault(File.Exists) is { } found
            ? found
            : "psql";

    private static void IsScript(string path) =>
        Assert.True(new FileInfo(PathOf(path)).UnixFileMode.HasFlag(UnixFileMode.UserExecute | UnixFileMode.OtherExecute), $"{path} cannot be executed.");

    private static string Read(string path) => File.ReadAllText(PathOf(path));

    private static string PathOf(string path) => Path.Combine(Repository.Root, path);

    private sealed record Command(string Line, string Program, string[] Arguments, bool Runs);

    [GeneratedRegex(@"^ *```(?<language>[^\n`]*)\n(?<text>.*?)^ *```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\]\((?<target>[^)#]+)")]
    private static partial Regex Link();

    /// <summary>Variables for one command are in upper case, a script's own variables in lower case.</summary>
    [GeneratedRegex(@"^ *(?:[A-Z_]+=\S+ +)*(?<program>\S+)(?<rest>.*)$")]
    private static partial Regex CommandLine();

    [GeneratedRegex(@"^(?<name>[a-z_]+)=", RegexOptions.Multiline)]
    private static partial Regex Assignment();

    [GeneratedRegex(@"""status"": *[45]\d\d\b")]
    private static partial Regex ProblemStatus();
}

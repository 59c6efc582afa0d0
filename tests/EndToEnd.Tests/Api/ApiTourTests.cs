using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests.Api;

/// <summary>Runs docs/api-tour.http: each request in order, with its variables, and the status that the document states.</summary>
[Collection(SystemCollection.Name)]
public sealed partial class ApiTourTests(SystemFixture system)
{
    private readonly Dictionary<string, string> _variables = [];
    private readonly Dictionary<string, (JsonNode? Body, HttpResponseMessage Response)> _answers = [];

    [Fact]
    public async Task Every_step_gets_the_documented_answer()
    {
        var steps = 0;
        // The document has a placeholder for the token.
        _variables["token"] = system.Gateway.DefaultRequestHeaders.Authorization!.Parameter!;
        foreach (var block in Separator().Split(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "api-tour.http"))))
        {
            if (Step.Parse(block, _variables) is not { } step)
            {
                continue;
            }

            steps++;
            JsonNode? body = null;
            HttpResponseMessage? response = null;
            if (step.Until is { } until)
            {
                await Eventually.TrueAsync(
                    async () =>
                    {
                        (response, body) = await SendAsync(step);
                        return (int)response.StatusCode == step.Expect && (Member(body, until.Path)?.ToString() ?? "null") == until.Value;
                    },
                    TimeSpan.FromSeconds(30), $"{step.Line}: {until.Path} = {until.Value}");
            }
            else
            {
                (response, body) = await SendAsync(step);
            }

            Assert.True((int)response!.StatusCode == step.Expect, $"{step.Line}: {(int)response.StatusCode}, not {step.Expect}: {body?.ToJsonString()}");
            if (step.Name is not null)
            {
                _answers[step.Name] = (body, response);
            }
        }

        Assert.True(steps > 40, $"{steps} steps were found.");
    }

    private async Task<(HttpResponseMessage Response, JsonNode? Body)> SendAsync(Step step)
    {
        var parts = Fill(step.Line).Split(' ', 2);
        // The tests' gateway has a different port from the document's.
        using var request = new HttpRequestMessage(new HttpMethod(parts[0]), new Uri(system.Gateway.BaseAddress!, new Uri(parts[1]).PathAndQuery));
        if (step.Body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Fill(step.Body)));
        }

        foreach (var (name, value) in step.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, Fill(value)))
            {
                (request.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(name, Fill(value));
            }
        }

        var response = await system.Gateway.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response, response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true
            && response.Content.Headers.ContentType.MediaType != "application/x-ndjson" ? JsonNode.Parse(text) : null);
    }

    private string Fill(string text) => Variable().Replace(text, match =>
    {
        var name = match.Groups[1].Value.Trim();
        if (_variables.TryGetValue(name, out var value))
        {
            return value;
        }

        var path = name.Split('.', 4);
        Assert.True(_answers.TryGetValue(path[0], out var answer), $"No earlier answer is named {name}.");
        return path[2] == "headers" || path[1] == "headers"
            ? answer.Response.Headers.NonValidated[name[(name.LastIndexOf('.') + 1)..]].ToString()
            : Member(answer.Body, name[(name.IndexOf("$.", StringComparison.Ordinal) + 2)..])!.ToString();
    });

    private static JsonNode? Member(JsonNode? node, string path) => path.Split('.').Aggregate(node, (current, part) =>
        current is JsonArray array ? array.ElementAtOrDefault(int.Parse(part, CultureInfo.InvariantCulture)) : (current as JsonObject)?[part]);

    [GeneratedRegex(@"^###.*$", RegexOptions.Multiline)]
    private static partial Regex Separator();

    [GeneratedRegex(@"\{\{([^}]+)\}\}")]
    private static partial Regex Variable();

    private sealed record Step(string? Name, int Expect, (string Path, string Value)? Until, string Line, IReadOnlyList<(string, string)> Headers, string? Body)
    {
        public static Step? Parse(string block, Dictionary<string, string> variables)
        {
            string? name = null, line = null;
            var expect = 0;
            (string, string)? until = null;
            var headers = new List<(string, string)>();
            var lines = block.Split('\n').Select(l => l.TrimEnd('\r')).ToList();
            var i = 0;
            for (; i < lines.Count; i++)
            {
                var text = lines[i];
                if (text.StartsWith('@'))
                {
                    var (variable, value) = Split(text[1..], '=');
                    variables[variable] = variable == "token" ? variables[variable] : value == "{{$guid}}" ? Guid.CreateVersion7().ToString("N")[20..] : value;
                }
                else if (text.StartsWith("# @name ", StringComparison.Ordinal))
                {
                    name = text[8..].Trim();
                }
                else if (text.StartsWith("# expect ", StringComparison.Ordinal))
                {
                    expect = int.Parse(text[9..], CultureInfo.InvariantCulture);
                }
                else if (text.StartsWith("# until ", StringComparison.Ordinal))
                {
                    until = Split(text[8..], '=');
                }
                else if (text.Length > 0 && text[0] != '#' && line is null)
                {
                    line = text;
                }
                else if (text.Length > 0 && text[0] != '#')
                {
                    headers.Add(Split(text, ':'));
                }
                else if (line is not null && text.Length == 0)
                {
                    break;
                }
            }

            var body = string.Join('\n', lines.Skip(i)).Trim();
            return line is null ? null : new(name, expect, until, line, headers, body.Length > 0 ? body : null);
        }

        private static (string, string) Split(string text, char at) => (text[..text.IndexOf(at)].Trim(), text[(text.IndexOf(at) + 1)..].Trim());
    }
}

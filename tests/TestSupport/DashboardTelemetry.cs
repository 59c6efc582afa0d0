using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Web;
using Aspire.Hosting;
using Aspire.Hosting.Testing;

namespace OrderInventory.TestSupport;

/// <summary>The telemetry that Aspire's dashboard has received, read from its HTTP API (<c>/api/telemetry</c>, OTLP as JSON).</summary>
public sealed class DashboardTelemetry : IDisposable
{
    private readonly HttpClient _dashboard;

    private DashboardTelemetry(HttpClient dashboard) => _dashboard = dashboard;

    public static async Task<DashboardTelemetry> ConnectAsync(DistributedApplication app)
    {
        var login = await app.GetDashboardUrlAsync();
        var dashboard = new HttpClient { BaseAddress = new Uri(login.GetLeftPart(UriPartial.Authority)) };
        // The API key is issued in exchange for the token with which a browser logs in.
        using var answer = await dashboard.PostAsJsonAsync("/api/telemetry/validateToken", new { token = HttpUtility.ParseQueryString(login.Query)["t"] });
        answer.EnsureSuccessStatusCode();
        dashboard.DefaultRequestHeaders.Add("x-api-key", (string?)(await answer.Content.ReadFromJsonAsync<JsonNode>())!["apiKey"]);
        return new(dashboard);
    }

    /// <summary>The spans of one trace: service and name of each.</summary>
    public async Task<List<(string Service, string Name)>> SpansAsync(string traceId)
    {
        var answer = await _dashboard.GetFromJsonAsync<JsonNode>($"/api/telemetry/spans?traceId={traceId}");
        return
        [
            .. from resource in answer!["data"]!["resourceSpans"]!.AsArray()
               let service = (string?)resource!["resource"]!["attributes"]!.AsArray().Single(a => (string?)a!["key"] == "service.name")!["value"]!["stringValue"]
               from scope in resource["scopeSpans"]!.AsArray()
               from span in scope!["spans"]!.AsArray()
               select (service, (string)span!["name"]!),
        ];
    }

    /// <summary>Writes all traces to a file, to examine a failed test.</summary>
    public async Task SaveAsync(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file, await _dashboard.GetStringAsync(new Uri("/api/telemetry/traces?limit=1000", UriKind.Relative)));
    }

    public void Dispose() => _dashboard.Dispose();
}

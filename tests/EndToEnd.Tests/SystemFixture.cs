using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderInventory.TestSupport;

// Every class here starts or uses a whole system; two at the same time would only wait for each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace OrderInventory.EndToEnd.Tests;

[CollectionDefinition(Name)]
public sealed class SystemCollection : ICollectionFixture<SystemFixture>
{
    public const string Name = "system";
}

/// <summary>The whole system, started once for all classes of the collection, with the dashboard; mail goes into a pickup folder.</summary>
public sealed class SystemFixture : IAsyncLifetime
{
    private AppHostRunner? _runner;
    private HttpClient? _gateway;

    public AppHostRunner Runner => _runner ?? throw new InvalidOperationException("The system has not started.");

    /// <summary>A client of the gateway, as an external client has it.</summary>
    public HttpClient Gateway => _gateway ?? throw new InvalidOperationException("The system has not started.");

    /// <summary>What the services have printed.</summary>
    public LogKeeper Logs { get; } = new();

    /// <summary>How many mails have gone to that address: .eml files in the pickup folder, or what the inbox of the containers mode holds.</summary>
    public async Task<int> CountMailsAsync(string address)
    {
        var mail = new Uri(await Runner.ConnectionStringAsync("mail"));
        if (mail.IsFile)
        {
            return Directory.EnumerateFiles(mail.LocalPath, "*.eml").Count(file => File.ReadAllText(file).Contains(address, StringComparison.Ordinal));
        }

        using var inbox = Runner.App.CreateHttpClient("mail-server", "http");
        var messages = await inbox.GetFromJsonAsync<JsonNode>(new Uri("/api/v1/messages?limit=500", UriKind.Relative));
        return messages!["messages"]!.AsArray().Count(message => message!["To"]!.ToJsonString().Contains(address, StringComparison.Ordinal));
    }

    public async Task InitializeAsync()
    {
        _runner = await AppHostRunner.StartAsync(
            ["--Infrastructure:Mail=pickup"], builder => builder.Services.AddLogging(logging => logging.AddProvider(Logs)), dashboard: true);
        await _runner.WaitUntilHealthyAsync("gateway");
        _gateway = await _runner.CreateClientAsync();
    }

    public async Task DisposeAsync()
    {
        try
        {
            if (_gateway is not null)
            {
                await CheckHistoryAsync(_gateway);
            }
        }
        finally
        {
            _gateway?.Dispose();
            if (_runner is not null)
            {
                // If a test has failed, its trace is in this file.
                using (var telemetry = await DashboardTelemetry.ConnectAsync(_runner.App))
                {
                    await telemetry.SaveAsync(Path.Combine(Repository.Root, "artifacts/end-to-end-traces.json"));
                }

                await _runner.DisposeAsync();
            }
        }
    }

    /// <summary>Checks, after all tests, that the ledgers and timelines they left are in the order in which things happened.</summary>
    private static async Task CheckHistoryAsync(HttpClient gateway)
    {
        var several = new ParallelOptions { MaxDegreeOfParallelism = 4 };
        await Parallel.ForEachAsync(AllAsync(gateway, "/api/inventory"), several, async (level, _) => await HistoryCheck.LedgerAsync(gateway, (Guid)level["productId"]!));
        await Parallel.ForEachAsync(AllAsync(gateway, "/api/orders"), several, async (order, _) => await HistoryCheck.TimelineAsync(gateway, (Guid)order["id"]!));
    }

    private static async IAsyncEnumerable<JsonNode> AllAsync(HttpClient gateway, string list)
    {
        string? cursor = null;
        do
        {
            var page = (await gateway.GetFromJsonAsync<JsonNode>($"{list}?limit=100{(cursor is null ? "" : $"&cursor={cursor}")}"))!;
            foreach (var item in page["items"]!.AsArray())
            {
                yield return item!;
            }

            cursor = (string?)page["next"];
        }
        while (cursor is not null);
    }
}

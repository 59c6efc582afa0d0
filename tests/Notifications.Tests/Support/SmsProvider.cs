using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OrderInventory.Notifications.Tests.Support;

/// <summary>A provider of text messages: a real server on loopback.</summary>
internal sealed class SmsProvider : IAsyncDisposable
{
    private readonly ConcurrentQueue<(string Key, string? Authorization, JsonNode Body)> _messages = new();
    private readonly WebApplication _server;

    private SmsProvider(WebApplication server) => _server = server;

    public string Url { get; private set; } = "";

    /// <summary>The status of its responses.</summary>
    public int Status { get; set; } = 202;

    public List<(string Key, string? Authorization, JsonNode Body)> Messages => [.. _messages];

    public static async Task<SmsProvider> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var provider = new SmsProvider(app);
        app.MapPost("/messages", async (HttpContext http) =>
        {
            var body = (await JsonNode.ParseAsync(http.Request.Body))!;
            provider._messages.Enqueue((http.Request.Headers["Idempotency-Key"].ToString(), http.Request.Headers.Authorization, body));
            return Results.StatusCode(provider.Status);
        });
        await app.StartAsync();
        provider.Url = app.Urls.First() + "/messages";
        return provider;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}

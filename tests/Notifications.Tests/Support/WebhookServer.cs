using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OrderInventory.Notifications.Tests.Support;

/// <summary>
/// A receiver of webhooks: a real server on loopback that keeps what it receives, and checks signatures by the Standard Webhooks
/// specification with its own code. Each path is an endpoint with its own behaviour.
/// </summary>
internal sealed class WebhookServer : IAsyncDisposable
{
    private readonly ConcurrentQueue<Request> _requests = new();
    private readonly WebApplication _server;

    private WebhookServer(WebApplication server) => _server = server;

    public string Address { get; private set; } = "";

    /// <summary>How a path answers; a path without an entry answers 204.</summary>
    public ConcurrentDictionary<string, Func<HttpContext, Task>> Answers { get; } = new();

    public static async Task<WebhookServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new WebhookServer(app);
        app.Run(server.ReceiveAsync);
        await app.StartAsync();
        server.Address = app.Urls.First();
        return server;
    }

    public List<Request> RequestsTo(string path) => [.. _requests.Where(r => r.Path == path)];

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    private async Task ReceiveAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync();
        _requests.Enqueue(new(
            http.Request.Path, http.Request.Method, http.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase), body));
        if (Answers.TryGetValue(http.Request.Path, out var answer))
        {
            await answer(http);
        }
        else
        {
            http.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    public sealed record Request(string Path, string Method, Dictionary<string, string> Headers, string Body)
    {
        public JsonNode Event => JsonNode.Parse(Body)!;

        public string Id => Headers["Webhook-Id"];

        public string[] Signatures => Headers["Webhook-Signature"].Split(' ');

        /// <summary>The index of the header's signature that the secret made; -1 for none.</summary>
        public int SignedBy(string secret)
        {
            var key = secret.StartsWith("whsec_", StringComparison.Ordinal) ? Convert.FromBase64String(secret[6..]) : Encoding.UTF8.GetBytes(secret);
            using var hmac = new HMACSHA256(key);
            var hash = hmac.ComputeHash(Encoding.UTF8.GetBytes($"{Id}.{Headers["Webhook-Timestamp"]}.{Body}"));
            return Array.IndexOf(Signatures, "v1," + Convert.ToBase64String(hash));
        }
    }
}

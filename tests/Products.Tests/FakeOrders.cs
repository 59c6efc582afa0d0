using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OrderInventory.Products.Tests;

/// <summary>The one endpoint of Orders that Products calls, on a real local port.</summary>
public sealed class FakeOrders : IAsyncDisposable
{
    private const string BrokenOff = "broken off";

    private readonly ConcurrentDictionary<Guid, string> _answers = new();
    private WebApplication? _app;
    private int _calls;

    /// <summary>The number of requests received, whatever the responses.</summary>
    public int Calls => Volatile.Read(ref _calls);

    /// <summary>The Authorization header of the last request.</summary>
    public string? LastAuthorization { get; private set; }

    public string Address => _app!.Urls.Single();

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapGet("/internal/orders/open", async (Guid productId, HttpContext http) =>
        {
            Interlocked.Increment(ref _calls);
            LastAuthorization = http.Request.Headers.Authorization;
            if (_answers.GetValueOrDefault(productId) == BrokenOff)
            {
                http.Response.ContentLength = 1000;
                await http.Response.WriteAsync("""{"open": """);
                await http.Response.Body.FlushAsync();
                http.Abort();
            }

            return _answers.GetValueOrDefault(productId, """{"open": false}""") is { Length: > 0 } json ? Results.Content(json, "application/json") : Results.StatusCode(500);
        });
        await _app.StartAsync();
    }

    public void HasOpenOrders(Guid productId) => _answers[productId] = """{"open": true}""";

    public void HasNoOpenOrders(Guid productId) => _answers.TryRemove(productId, out _);

    public void Fails(Guid productId) => _answers[productId] = "";

    public void AnswersNonsense(Guid productId) => _answers[productId] = """{"open": "perhaps"}""";

    /// <summary>Breaks off the connection in the middle of the response.</summary>
    public void BreaksOff(Guid productId) => _answers[productId] = BrokenOff;

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }
}

using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OrderInventory.Products.Tests;

/// <summary>The one endpoint of Orders that Products calls, on a real port of this machine.</summary>
public sealed class FakeOrders : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Guid, string> _answers = new();
    private WebApplication? _app;

    public string Address => _app!.Urls.Single();

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapGet("/api/orders/open", (Guid productId) => _answers.GetValueOrDefault(productId, """{"open": false}""") switch
        {
            "" => Results.StatusCode(500),
            var json => Results.Content(json, "application/json"),
        });
        await _app.StartAsync();
    }

    public void HasOpenOrders(Guid productId) => _answers[productId] = """{"open": true}""";

    public void HasNoOpenOrders(Guid productId) => _answers.TryRemove(productId, out _);

    public void Fails(Guid productId) => _answers[productId] = "";

    public void AnswersNonsense(Guid productId) => _answers[productId] = """{"open": "perhaps"}""";

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }
}

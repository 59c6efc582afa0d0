using System.Net.Http.Headers;
using System.Net.Http.Json;
using Aspire.Hosting.Testing;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>Redis stops and starts while clients read and write: slower, but no error, and nothing stale longer than a cache entry lives.</summary>
public sealed class RedisOutageTests
{
    [Fact]
    public async Task Stopping_and_starting_Redis_under_traffic_causes_no_errors_and_no_stale_answers()
    {
        await using var system = await AppHostRunner.StartAsync(["--Infrastructure:Mail=pickup"]);
        await system.WaitUntilHealthyAsync("gateway");
        using var gateway = await system.CreateClientAsync();
        var shop = new Shop(gateway);
        var customer = await shop.CustomerAsync();
        var product = await shop.ProductAsync(stock: 1_000_000);
        var failures = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var requests = 0;
        using var stop = new CancellationTokenSource();
        var readers = new[] { $"/api/products/{product}", $"/api/inventory/{product}", $"/api/customers/{customer}/orders/recent" }
            .Select(path => Task.Run(() => RepeatAsync(() => gateway.GetAsync(path)))).ToList();
        readers.Add(Task.Run(() => RepeatAsync(() => gateway.PostAsJsonAsync($"/api/inventory/{product}/adjustments", new { delta = -1, reason = "test" }))));
        readers.Add(Task.Run(() => RepeatAsync(async () =>
        {
            var (status, body) = await shop.PlaceAsync(customer, (product, 1));
            return new(status) { Content = JsonContent.Create(body) };
        })));

        await AfterAsync(50);
        await system.StopAsync("redis");
        await AfterAsync(50);
        // Changed while the cache cannot be invalidated.
        var current = await gateway.GetAsync($"/api/products/{product}");
        using var patch = new HttpRequestMessage(HttpMethod.Patch, $"/api/products/{product}") { Content = JsonContent.Create(new { name = "Chai, new" }, new MediaTypeHeaderValue("application/merge-patch+json")) };
        patch.Headers.TryAddWithoutValidation("If-Match", current.Headers.NonValidated["ETag"].ToString());
        (await gateway.SendAsync(patch)).EnsureSuccessStatusCode();
        await system.StartAsync("redis");
        await AfterAsync(50);
        await stop.CancelAsync();
        await Task.WhenAll(readers);

        Assert.True(failures.IsEmpty, string.Join('\n', failures.Take(5)));
        Assert.Equal("Chai, new", (string?)(await shop.GetAsync($"/api/products/{product}"))["name"]);
        // Stock may be read from the cache for its time to live, 30 s at most.
        await Eventually.TrueAsync(
            async () => (long)(await shop.GetAsync($"/api/inventory/{product}"))["onHand"]! == (await shop.StockAsync(product)).OnHand,
            TimeSpan.FromSeconds(35), "the API returns the stored level");
        await Eventually.TrueAsync(
            async () => (await OrdersAsync($"/api/customers/{customer}/orders/recent")).SequenceEqual(await OrdersAsync($"/api/orders?customerId={customer}&limit=20")),
            TimeSpan.FromSeconds(35), "the API returns the latest orders");

        async Task<IEnumerable<string>> OrdersAsync(string path) =>
            (await shop.GetAsync(path))["items"]!.AsArray().Select(order => $"{order!["id"]} {order["version"]} {order["status"]}");

        async Task RepeatAsync(Func<Task<HttpResponseMessage>> send)
        {
            while (!stop.IsCancellationRequested)
            {
                using var response = await send();
                Interlocked.Increment(ref requests);
                if (!response.IsSuccessStatusCode)
                {
                    failures.Enqueue($"{response.StatusCode} {response.RequestMessage?.RequestUri} {await response.Content.ReadAsStringAsync()}");
                }
            }
        }

        Task AfterAsync(int more)
        {
            var target = Volatile.Read(ref requests) + more;
            return Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref requests) >= target), TimeSpan.FromSeconds(60), "traffic continues");
        }
    }
}

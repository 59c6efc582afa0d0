using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OrderInventory.Contracts.Customers;

namespace OrderInventory.Notifications.Tests.Support;

/// <summary>
/// The other services as Notifications sees them: a real server on loopback that answers GET /api/customers?ids=, /api/orders/{id} and
/// /api/products?ids=. It can go down and come back.
/// </summary>
internal sealed class CustomersServer : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Guid, (string Name, string? Email, string? Phone, string Language, ContactChannels? Channels)> _customers = new();
    private WebApplication? _server;
    private int _port;
    private int _calls;

    /// <summary>The shipment that GET /api/orders/{id} shows.</summary>
    public ConcurrentDictionary<Guid, (string? Carrier, string? TrackingNumber)> Shipments { get; } = new();

    /// <summary>The products' SKUs and names.</summary>
    public ConcurrentDictionary<Guid, (string Sku, string Name)> Products { get; } = new();

    /// <summary>Whether Orders and Products answer.</summary>
    public bool OrdersAndProductsAnswer { get; set; } = true;

    public string Address => $"http://127.0.0.1:{_port}";

    public int Calls => _calls;

    public Guid Add(string name = "Maria Anders", string? email = null, string? phone = null, string language = "en", ContactChannels? channels = null)
    {
        var id = Guid.CreateVersion7();
        _customers[id] = (name, email ?? $"{id:N}@example.com", phone, language, channels);
        return id;
    }

    public string? EmailOf(Guid id) => _customers[id].Email;

    public void SetEmail(Guid id, string email) => _customers[id] = _customers[id] with { Email = email };

    public void SetPhone(Guid id, string? phone) => _customers[id] = _customers[id] with { Phone = phone };

    public void Remove(Guid id) => _customers.TryRemove(id, out _);

    /// <summary>Reserves a port on which nothing listens until the server starts.</summary>
    public void ReservePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _port = ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{_port}");
        _server = builder.Build();
        _server.MapGet("/api/customers", (string ids) =>
        {
            Interlocked.Increment(ref _calls);
            var wanted = ids.Split(',').Select(Guid.Parse).ToList();
            return wanted.Count > 100
                ? Results.BadRequest()
                : Results.Ok(new
                {
                    items = wanted.Where(_customers.ContainsKey)
                        .Select(id => new { id, name = _customers[id].Name, email = _customers[id].Email, phone = _customers[id].Phone, language = _customers[id].Language, channels = _customers[id].Channels, version = 1 }),
                    next = (string?)null,
                });
        });
        _server.MapGet("/api/orders/{id:guid}", (Guid id) => !OrdersAndProductsAnswer
            ? Results.StatusCode(503)
            : Results.Ok(Shipments.TryGetValue(id, out var s) ? new { id, carrier = s.Carrier, trackingNumber = s.TrackingNumber } : new { id, carrier = default(string), trackingNumber = default(string) }));
        _server.MapGet("/api/products", (string ids) => !OrdersAndProductsAnswer
            ? Results.StatusCode(503)
            : Results.Ok(new
            {
                items = ids.Split(',').Select(Guid.Parse).Where(Products.ContainsKey).Select(id => new { id, sku = Products[id].Sku, name = Products[id].Name }),
            }));
        await _server.StartAsync();
        _port = new Uri(_server.Urls.First()).Port;
    }

    public async Task StopAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
            _server = null;
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync();
}

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OrderInventory.Contracts.Customers;

namespace OrderInventory.Notifications.Tests.Support;

/// <summary>Customers as this service sees it: a real server on loopback that answers GET /api/customers?ids=. It can go down and come back.</summary>
internal sealed class CustomersServer : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Guid, (string Name, string? Email, string? Phone, string Language, ContactChannels? Channels)> _customers = new();
    private WebApplication? _server;
    private int _port;
    private int _calls;

    public string Address => $"http://127.0.0.1:{_port}";

    public int Calls => _calls;

    public Guid Add(string name = "Maria Anders", string? email = null, string? phone = null, string language = "en", ContactChannels? channels = null)
    {
        var id = Guid.CreateVersion7();
        _customers[id] = (name, email ?? $"{id:N}@example.com", phone, language, channels);
        return id;
    }

    public string? EmailOf(Guid id) => _customers[id].Email;

    public void SetPhone(Guid id, string? phone) => _customers[id] = _customers[id] with { Phone = phone };

    public void Remove(Guid id) => _customers.TryRemove(id, out _);

    /// <summary>A port that nobody listens on until the server starts.</summary>
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

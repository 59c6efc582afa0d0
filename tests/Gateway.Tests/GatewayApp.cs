using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderInventory.TestSupport;

namespace OrderInventory.Gateway.Tests;

/// <summary>The gateway on a real port, with small real services behind it.</summary>
public sealed partial class GatewayApp : IAsyncLifetime
{
    private readonly Dictionary<string, Service> _services = SystemRoutes.Services.Append("console").ToDictionary(name => name, name => new Service(name));
    private WebApplicationFactory<Program>? _factory;

    public HttpClient Http { get; private set; } = null!;

    /// <summary>Settings of this gateway, in addition to the services' addresses.</summary>
    public Dictionary<string, string> Settings { get; init; } = [];

    internal IServiceProvider Services => _factory!.Services;

    internal Service this[string name] => _services[name];

    public async Task InitializeAsync()
    {
        foreach (var service in _services.Values)
        {
            await service.StartAsync();
        }

        _factory = new WebApplicationFactory<Program>().WithWebHostBuilder(builder =>
        {
            builder.UseSetting("urls", "http://127.0.0.1:0");
            TestAuthority.Shared.Configure(builder);
            foreach (var (name, service) in _services)
            {
                builder.UseSetting($"services:{name}:http:0", service.Address);
            }

            foreach (var (key, value) in Settings)
            {
                builder.UseSetting(key, value);
            }
        });
        _factory.UseKestrel();
        _factory.StartServer();
        var addresses = _factory.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Http = _factory.CreateClient(new() { BaseAddress = new(addresses.Single(address => address.StartsWith("http:", StringComparison.Ordinal))) });
        Http.DefaultRequestHeaders.Authorization = TestAuthority.Everything;
    }

    public async Task DisposeAsync()
    {
        Http?.Dispose();
        if (_factory is not null)
        {
            await _factory.DisposeAsync();
        }

        foreach (var service in _services.Values)
        {
            await service.StopAsync();
        }
    }

    /// <summary>A request as it is on the wire, with a token after its first Host header.</summary>
    public static byte[] WithToken(string request) =>
        Encoding.Latin1.GetBytes(Host().Replace(request, $"$0Authorization: {TestAuthority.Everything}\r\n", 1));

    /// <summary>The response, byte for byte, on a connection that ends after it.</summary>
    public async Task<string> RawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Http.BaseAddress!.Host, Http.BaseAddress.Port);
        await client.GetStream().WriteAsync(WithToken(request));
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await reader.ReadToEndAsync(timeout.Token);
    }

    [GeneratedRegex("Host: [^\\r\\n]*\\r\\n", RegexOptions.CultureInvariant)]
    private static partial Regex Host();

    /// <summary>Answers every request with the service's name and the request it received; responses can be set for single paths.</summary>
    internal sealed class Service(string name)
    {
        private WebApplication? _server;
        private int _port;

        public string Address => $"http://127.0.0.1:{_port}";
        public bool Ready { get; set; } = true;
        public Dictionary<string, RequestDelegate> Answers { get; } = [];

        public async Task StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, _port);
                kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
                kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
            });
            _server = builder.Build();
            _server.MapGet("/health", () => Ready ? Results.Ok() : Results.StatusCode(503));
            _server.MapFallback("{*path}", async http =>
            {
                if (Answers.TryGetValue(http.Request.Path, out var answer))
                {
                    await answer(http);
                    return;
                }

                using var reader = new StreamReader(http.Request.Body);
                await http.Response.WriteAsJsonAsync(new
                {
                    service = name,
                    path = http.Request.Path.Value + http.Request.QueryString,
                    method = http.Request.Method,
                    headers = http.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString()),
                    body = await reader.ReadToEndAsync(),
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

        /// <summary>Accepts connections and closes them at the first byte, like a process that dies in the middle of a request.</summary>
        public async Task<IDisposable> BreakAsync()
        {
            await StopAsync();
            var listener = new TcpListener(IPAddress.Loopback, _port);
            listener.Start();
            _ = CloseEachAsync(listener);
            return listener;
        }

        private static async Task CloseEachAsync(TcpListener listener)
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync();
                    await client.GetStream().ReadExactlyAsync(new byte[1]);
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or IOException)
            {
                // The listener was stopped.
            }
        }
    }
}

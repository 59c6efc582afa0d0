using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OrderInventory.Gateway.Tests;

/// <summary>The gateway on a real port, with five small real services behind it.</summary>
public sealed class GatewayApp : IAsyncLifetime
{
    private readonly Dictionary<string, Service> _services = SystemRoutes.Services.ToDictionary(name => name, name => new Service(name));
    private WebApplicationFactory<Program>? _factory;

    public HttpClient Http { get; private set; } = null!;

    /// <summary>Settings of this gateway, beside the services' addresses.</summary>
    public Dictionary<string, string> Settings { get; init; } = [];

    /// <summary>Who calls, by a header, where the tests have no issuer of tokens.</summary>
    public const string Caller = "X-Test-Caller";

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
            foreach (var (name, service) in _services)
            {
                builder.UseSetting($"services:{name}:http:0", service.Address);
            }

            foreach (var (key, value) in Settings)
            {
                builder.UseSetting(key, value);
            }

            builder.ConfigureServices(services => services.AddTransient<IStartupFilter, CallerByHeader>());
        });
        _factory.UseKestrel();
        _factory.StartServer();
        var addresses = _factory.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Http = _factory.CreateClient(new() { BaseAddress = new(addresses.Single(address => address.StartsWith("http:", StringComparison.Ordinal))) });
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

    /// <summary>The answer, byte for byte, of a connection that ends behind it.</summary>
    public async Task<string> RawAsync(byte[] request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Http.BaseAddress!.Host, Http.BaseAddress.Port);
        await client.GetStream().WriteAsync(request);
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await reader.ReadToEndAsync(patience.Token);
    }

    public Task<string> RawAsync(string request) => RawAsync(Encoding.Latin1.GetBytes(request));

    private sealed class CallerByHeader : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((http, rest) =>
            {
                if (http.Request.Headers[Caller] is [{ } caller])
                {
                    http.User = new(new ClaimsIdentity([new("sub", caller)], "test"));
                }

                return rest(http);
            });
            next(app);
        };
    }

    /// <summary>Answers every request with who it is and what it was asked; single answers can be set by path.</summary>
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

        /// <summary>Takes connections and closes them at the first byte, like a process that dies in the middle of a request.</summary>
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
                // Stopped.
            }
        }
    }
}

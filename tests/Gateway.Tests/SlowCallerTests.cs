using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OrderInventory.Gateway.Tests;

/// <summary>A thousand connections that hardly progress: each ends by the server's limits, and other callers are served meanwhile.</summary>
public sealed class SlowCallerTests : IAsyncLifetime
{
    private const int Count = 1000;

    private readonly GatewayApp _gateway = new() { Settings = { ["Http:Limits:RequestHeadersTimeout"] = "00:00:05" } };

    public Task InitializeAsync() => _gateway.InitializeAsync();

    public Task DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [InlineData("GET /api/orders HTTP/1.1\r\nHost: a\r\nX-Slow: ")]
    [InlineData("POST /api/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")]
    public async Task Slow_requests_end_with_408_and_others_are_served(string beginning)
    {
        var slow = await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => BeginAsync(beginning)));

        using var other = await _gateway.Http.GetAsync("/api/products");
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);

        var answers = await Task.WhenAll(slow.Select(ReadAsync));
        Assert.Contains(answers, answer => answer is not null);
        Assert.All(answers.OfType<string>(), answer =>
        {
            Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
            Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        });
    }

    private async Task<TcpClient> BeginAsync(string beginning)
    {
        var client = new TcpClient();
        await client.ConnectAsync(_gateway.Http.BaseAddress!.Host, _gateway.Http.BaseAddress.Port);
        await client.GetStream().WriteAsync(GatewayApp.WithToken(beginning));
        return client;
    }

    /// <summary>The answer; null if the connection was reset before the answer was read, as a busy server does when a body does not end.</summary>
    private static async Task<string?> ReadAsync(TcpClient client)
    {
        using (client)
        using (var reader = new StreamReader(client.GetStream(), Encoding.Latin1))
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(120));
            try
            {
                return await reader.ReadToEndAsync(timeout.Token);
            }
            catch (IOException exception) when (exception.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
            {
                return null;
            }
        }
    }
}

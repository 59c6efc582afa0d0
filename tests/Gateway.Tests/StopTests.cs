using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrderInventory.TestSupport;

namespace OrderInventory.Gateway.Tests;

/// <summary>What happens to requests when the gateway is told to stop.</summary>
public sealed class StopTests : IAsyncLifetime
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(60);
    private readonly GatewayApp _gateway = new();

    public Task InitializeAsync() => _gateway.InitializeAsync();

    public Task DisposeAsync() => _gateway.DisposeAsync();

    // Fails when a stream holds the gateway until the stop timeout, because then the other request is cut off with it.
    [Theory]
    [InlineData("notifications", "/api/stream")]
    [InlineData("console", "/console/_blazor")]
    public async Task A_stop_ends_a_stream_immediately_and_running_requests_are_still_answered(string service, string path)
    {
        var (begun, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        _gateway[service].Answers[path] = async http =>
        {
            http.Response.ContentType = "text/event-stream";
            await http.Response.WriteAsync("data: 1\n\n");
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        };
        _gateway["orders"].Answers["/api/orders"] = async _ =>
        {
            begun.SetResult();
            await go.Task;
        };
        using var response = await _gateway.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var stream = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: 1", await stream.ReadLineAsync());
        var order = _gateway.Http.GetAsync("/api/orders");
        await begun.Task.WaitAsync(s_timeout);

        _gateway.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        await Assert.ThrowsAnyAsync<IOException>(() => stream.ReadToEndAsync().WaitAsync(s_timeout));
        go.SetResult();
        using var answer = await order.WaitAsync(s_timeout);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    // Every service waits for its identity provider at start; others also wait for a database.
    [Fact]
    public async Task A_process_that_is_stopped_while_it_starts_ends_cleanly()
    {
        using var provider = new TcpListener(IPAddress.Loopback, 0);
        provider.Start();
        var start = new ProcessStartInfo("dotnet", [typeof(Program).Assembly.Location, "--urls=http://127.0.0.1:0", $"--Authentication:Authority=http://{provider.LocalEndpoint}"])
        {
            Environment = { ["DOTNET_ENVIRONMENT"] = "Development" },
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            using var asked = await provider.AcceptTcpClientAsync().WaitAsync(s_timeout);

            await Signal.SendAsync("TERM", process.Id);
            await process.WaitForExitAsync().WaitAsync(s_timeout);
        }
        finally
        {
            process.Kill();
        }

        Assert.True(process.ExitCode == 0, string.Concat(await output));
        Assert.DoesNotContain("Unhandled exception", string.Concat(await output), StringComparison.Ordinal);
    }
}

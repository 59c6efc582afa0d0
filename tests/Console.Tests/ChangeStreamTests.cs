using System.IO.Pipelines;
using System.Net;
using System.Security.Claims;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using OrderInventory.Console.Access;
using OrderInventory.Console.Api;
using OrderInventory.TestSupport;

namespace OrderInventory.Console.Tests;

/// <summary>One person's connection to the shop's changes.</summary>
public sealed class ChangeStreamTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly Shop _shop = new();
    private readonly List<string> _changes = [];
    private readonly ChangeStream _stream;
    private int _resets;

    public ChangeStreamTests()
    {
        var sessions = new Sessions(new NoProvider(), _time, NullLogger<Sessions>.Instance);
        _stream = new(new ShopApi(_shop, new Nobody(), sessions), _time, NullLogger<ChangeStream>.Instance);
        _stream.Changed += (name, data) =>
        {
            _changes.Add($"{name} {data}");
            return Task.CompletedTask;
        };
        _stream.Reset += () =>
        {
            _resets++;
            return Task.CompletedTask;
        };
        _stream.Open();
        _stream.Open();
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _stream.DisposeAsync();

    public void Dispose() => _shop.Dispose();

    [Fact]
    public async Task It_reports_its_freshness_and_passes_changes_on()
    {
        await using var connection = await _shop.NextAsync();
        Assert.Null(connection.LastEventId);
        await connection.SendAsync("event: open\ndata: {}\nid: s-1\n\n");
        await BecomesAsync(Freshness.Live);
        await connection.SendAsync("event: stale\ndata: {}\nid: s-1\n\n");
        await BecomesAsync(Freshness.Late);
        await connection.SendAsync("event: current\ndata: {}\nid: s-1\n\nevent: order.updated\ndata: {\"orderId\":7}\nid: s-2\n\nevent: reset\ndata: {}\nid: s-3\n\n");
        await Eventually.TrueAsync(() => _resets == 1, s_limit, "the lists are read again");
        Assert.Equal(Freshness.Live, _stream.Freshness);
        Assert.Equal(["order.updated {\"orderId\":7}"], _changes);
    }

    [Fact]
    public async Task A_broken_connection_is_reopened_after_a_pause_at_the_same_position()
    {
        await using (var first = await _shop.NextAsync())
        {
            await first.SendAsync("event: open\ndata: {}\nid: s-1\n\nevent: order.updated\ndata: {}\nid: s-2\n\n");
            await BecomesAsync(Freshness.Live);
            // Changes that concern others: a heartbeat carries the position after them.
            await first.SendAsync(":\nid: s-9\n\n");
        }

        await BecomesAsync(Freshness.Broken);
        await using var second = await NextAsync();
        Assert.Equal("s-9", second.LastEventId);
        // The second connection got no further, so the third begins at the same position.
        await second.DisposeAsync();
        await using var third = await NextAsync();
        Assert.Equal("s-9", third.LastEventId);
        await third.SendAsync("event: open\ndata: {\"resumed\":true}\nid: s-9\n\n");
        await BecomesAsync(Freshness.Live);
    }

    [Theory]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData(null)]
    public async Task A_refused_or_failed_connection_is_retried(HttpStatusCode? refusal)
    {
        await using (await _shop.NextAsync())
        {
            _shop.Refusals.Enqueue(refusal);
        }

        await BecomesAsync(Freshness.Broken);
        await using var next = await NextAsync();
        Assert.Empty(_shop.Refusals);
        await next.SendAsync("event: open\ndata: {}\nid: s-1\n\n");
        await BecomesAsync(Freshness.Live);
    }

    [Fact]
    public async Task A_connection_without_heartbeats_is_closed_and_one_with_heartbeats_is_kept()
    {
        await using var first = await _shop.NextAsync();
        await first.SendAsync("event: open\ndata: {}\nid: s-1\n\n");
        await BecomesAsync(Freshness.Live);
        for (var beat = 2; beat < 8; beat++)
        {
            _time.Advance(TimeSpan.FromSeconds(40));
            await first.SendAsync($":\nid: s-{beat}\n\n");
        }

        Assert.Equal(Freshness.Live, _stream.Freshness);
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return _stream.Freshness == Freshness.Broken;
            },
            s_limit,
            "the connection is closed");
        await using var second = await NextAsync();
        Assert.Equal("s-7", second.LastEventId);
    }

    [Fact]
    public async Task A_page_that_fails_interrupts_the_stream_only_briefly()
    {
        var fails = true;
        _stream.Changed += (_, _) => fails ? throw new InvalidOperationException("a page") : Task.CompletedTask;
        await using var first = await _shop.NextAsync();
        await first.SendAsync("event: order.updated\ndata: {}\nid: s-1\n\n");
        await BecomesAsync(Freshness.Broken);
        fails = false;
        await using var second = await NextAsync();
        await second.SendAsync("event: open\ndata: {}\nid: s-1\n\nevent: order.updated\ndata: {}\nid: s-2\n\n");
        await Eventually.TrueAsync(() => _changes.Count == 2, s_limit, "the next change is received");
    }

    /// <summary>Waits for the next connection while the clock moves on.</summary>
    private async Task<Connection> NextAsync()
    {
        var next = _shop.NextAsync();
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return next.IsCompleted;
            },
            s_limit,
            "the connection is opened again");
        return await next;
    }

    private Task BecomesAsync(Freshness freshness) => Eventually.TrueAsync(() => _stream.Freshness == freshness, s_limit, $"it is {freshness}");

    /// <summary>One response of the shop.</summary>
    private sealed class Connection(string? lastEventId, Pipe pipe) : IAsyncDisposable
    {
        public string? LastEventId => lastEventId;

        /// <summary>Sends the text and returns when it has been read.</summary>
        public async Task SendAsync(string text) => await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes(text));

        public ValueTask DisposeAsync() => pipe.Writer.CompleteAsync();
    }

    /// <summary>Stands in for the shop's API and for the factory of its clients.</summary>
    private sealed class Shop : HttpMessageHandler, IHttpClientFactory
    {
        private readonly Channel<Connection> _connections = Channel.CreateUnbounded<Connection>();

        /// <summary>The statuses of the next responses; null means that the connection is refused.</summary>
        public Queue<HttpStatusCode?> Refusals { get; } = [];

        public HttpClient CreateClient(string name) => new(this, disposeHandler: false) { BaseAddress = new("http://gateway") };

        public Task<Connection> NextAsync() => _connections.Reader.ReadAsync().AsTask().WaitAsync(s_limit);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (Refusals.TryDequeue(out var refusal))
            {
                return refusal is { } status ? Task.FromResult(new HttpResponseMessage(status)) : throw new HttpRequestException("Connection refused");
            }

            var pipe = new Pipe(new(pauseWriterThreshold: 1, resumeWriterThreshold: 1));
            _connections.Writer.TryWrite(new(request.Headers.TryGetValues("Last-Event-ID", out var last) ? last.Single() : null, pipe));
            return Task.FromResult(new HttpResponseMessage { Content = new StreamContent(pipe.Reader.AsStream()) });
        }
    }

    private sealed class Nobody : AuthenticationStateProvider
    {
        public override Task<AuthenticationState> GetAuthenticationStateAsync() => Task.FromResult(new AuthenticationState(new ClaimsPrincipal()));
    }

    private sealed class NoProvider : IOptionsMonitor<OpenIdConnectOptions>
    {
        public OpenIdConnectOptions CurrentValue { get; } = new();

        public OpenIdConnectOptions Get(string? name) => CurrentValue;

        public IDisposable? OnChange(Action<OpenIdConnectOptions, string?> listener) => null;
    }
}

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using OrderInventory.ServiceDefaults.Caching;
using StackExchange.Redis;

namespace OrderInventory.Products.Tests;

/// <summary>The cache that all services share, against a real Redis.</summary>
[Collection(ProductsCollection.Name)]
public sealed class ReadCacheTests(ProductsApp app) : IAsyncLifetime, IDisposable
{
    private static readonly JsonTypeInfo<string> s_json = (JsonTypeInfo<string>)JsonSerializerOptions.Default.GetTypeInfo(typeof(string));

    private readonly string _key = $"test:{Guid.CreateVersion7()}";
    private readonly FakeTimeProvider _time = new();
    private ConnectionMultiplexer _redis = null!;
    private ReadCache _cache = null!;

    public async Task InitializeAsync()
    {
        _redis = await ConnectionMultiplexer.ConnectAsync(app.RedisAddress);
        _cache = new(_redis, _time, NullLogger<ReadCache>.Instance);
    }

    public async Task DisposeAsync() => await _redis.DisposeAsync();

    public void Dispose() => _cache.Dispose();

    [Fact]
    public async Task A_load_that_began_before_a_change_cannot_put_the_old_value_back()
    {
        var old = new TaskCompletionSource<string?>();
        var early = await BeginReadAsync(old.Task);
        _cache.Invalidate(_key);
        old.SetResult("old");
        Assert.Equal("old", await early);

        Assert.Equal("new", await ReadAsync(() => Task.FromResult<string?>("new")));
        Assert.Equal("newer", await ReadAsync(() => Task.FromResult<string?>("newer")));
    }

    [Fact]
    public async Task A_read_after_a_change_does_not_join_a_load_from_before_it()
    {
        var old = new TaskCompletionSource<string?>();
        var early = await BeginReadAsync(old.Task);
        _cache.Invalidate(_key);

        Assert.Equal("new", await ReadAsync(() => Task.FromResult<string?>("new")));

        old.SetResult("old");
        await early;
    }

    [Fact]
    public async Task A_change_while_a_load_is_being_started_is_not_missed()
    {
        var old = new TaskCompletionSource<string?>();
        var early = await BeginReadAsync(old.Task, starting: () => _cache.Invalidate(_key));

        var after = ReadAsync(() => Task.FromResult<string?>("new"));
        var first = await Task.WhenAny(after, Task.Delay(TimeSpan.FromSeconds(20)));
        old.SetResult("old");

        Assert.Same(after, first);
        Assert.Equal("new", await after);
        await early;
    }

    [Fact]
    public async Task A_removed_value_is_not_served_again()
    {
        Assert.Equal("there", await ReadAsync(() => Task.FromResult<string?>("there")));
        Assert.Equal("there", await ReadAsync(() => throw new InvalidOperationException("It is cached.")));

        _cache.Invalidate(_key);

        Assert.Null(await ReadAsync(() => Task.FromResult<string?>(null)));
    }

    /// <summary>
    /// A marker that still outlasts any load also serves the next change: a customer who orders every second costs no command each time.
    /// </summary>
    [Theory]
    [InlineData(4.9, false)]
    [InlineData(5.1, true)]
    public async Task A_marker_is_renewed_only_when_it_would_expire_too_early(double secondsLater, bool again)
    {
        var database = _redis.GetDatabase();
        _cache.Invalidate(_key);
        var first = await database.KeyTimeToLiveAsync(_key);
        Assert.InRange(first!.Value, ReadCache.LongestLoad * 1.5, ReadCache.LongestLoad * 2);
        await database.StringSetAsync(_key, "seen");

        _time.Advance(TimeSpan.FromSeconds(secondsLater));
        _cache.Invalidate(_key);

        Assert.Equal(again, await database.StringGetAsync(_key) != "seen");
    }

    [Fact]
    public async Task Markers_are_set_again_after_the_connection_was_lost()
    {
        _cache.Invalidate(_key);
        var database = _redis.GetDatabase();
        await database.StringSetAsync(_key, "seen");
        var restored = new TaskCompletionSource();
        _redis.ConnectionRestored += (_, _) => restored.TrySetResult();
        await database.ExecuteAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no").ContinueWith(_ => { }, TaskScheduler.Default);
        await restored.Task.WaitAsync(TimeSpan.FromSeconds(20));

        _cache.Invalidate(_key);

        Assert.NotEqual("seen", (string?)await database.StringGetAsync(_key));
    }

    /// <summary>A read whose load has begun and ends with the given task.</summary>
    private async Task<Task<string?>> BeginReadAsync(Task<string?> load, Action? starting = null)
    {
        var began = new TaskCompletionSource();
        var reading = ReadAsync(() =>
        {
            starting?.Invoke();
            began.SetResult();
            return load;
        });
        await began.Task;
        return reading;
    }

    private Task<string?> ReadAsync(Func<Task<string?>> load) => _cache.GetOrLoadAsync(_key, TimeSpan.FromMinutes(1), s_json, load, CancellationToken.None);
}

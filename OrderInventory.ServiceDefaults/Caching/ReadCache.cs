using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using StackExchange.Redis;

namespace OrderInventory.ServiceDefaults.Caching;

public static class ReadCacheExtensions
{
    /// <summary>
    /// Adds Redis for reads: <see cref="ReadCache"/>, and a check that reports an unavailable Redis as degraded (the service stays ready).
    /// </summary>
    public static void AddReadCache(this IHostApplicationBuilder builder, string connectionName)
    {
        builder.AddRedisClient(
            connectionName,
            settings => settings.DisableHealthChecks = true,
            options =>
            {
                options.AbortOnConnectFail = false;
                options.ConnectTimeout = 1000;
                options.ConnectRetry = 1;
                // An unavailable cache must fail immediately instead of queueing commands that nobody waits for any more.
                options.BacklogPolicy = BacklogPolicy.FailFast;
            });
        builder.Services.AddSingleton<ReadCache>();
        builder.Services.AddHealthChecks().AddCheck<CacheHealthCheck>("cache", HealthStatus.Degraded);
    }
}

/// <summary>
/// Cache-aside in Redis. A fill lands only in an empty slot (<c>SET NX</c>), and an invalidation leaves a marker that keeps the slot
/// taken for at least <see cref="LongestLoad"/>: a reader that loaded the old row before the change committed cannot put it back afterwards.
/// Both are single-key commands, so they are atomic on any server and in a cluster. See docs/adr/0005-cache-markers.md.
/// A slow or unavailable Redis costs a read at most <see cref="RedisTimeout"/>; then a circuit breaker opens and reads go straight to the database.
/// </summary>
public sealed partial class ReadCache : IDisposable
{
    /// <summary>A load that takes longer than this may put an old value back into the cache.</summary>
    public static readonly TimeSpan LongestLoad = TimeSpan.FromSeconds(5);

    /// <summary>How long a marker also covers later changes: after this time it has only <see cref="LongestLoad"/> left to live.</summary>
    private static readonly TimeSpan s_markerReuse = LongestLoad;

    private const int MaxMarked = 100_000;

    /// <summary>Longest wait for Redis on a read.</summary>
    public static readonly TimeSpan RedisTimeout = TimeSpan.FromMilliseconds(100);

    private static readonly byte[] s_marker = "-"u8.ToArray();

    // A load is added before it begins. Otherwise it could be added after an invalidation and return the old value to readers that join it.
    private readonly ConcurrentDictionary<string, Lazy<Task<object?>>> _loads = new();
    private readonly ResiliencePipeline _breaker = RedisBreaker.Create();

    /// <summary>Keys that this process has marked, and when.</summary>
    private readonly MemoryCache _marked = new(new MemoryCacheOptions { SizeLimit = MaxMarked });

    private readonly IConnectionMultiplexer _redis;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public ReadCache(IConnectionMultiplexer redis, TimeProvider time, ILogger<ReadCache> logger)
    {
        (_redis, _time, _logger) = (redis, time, logger);
        // Redis may have lost its markers while it was unavailable.
        redis.ConnectionFailed += (_, _) => _marked.Clear();
        redis.ConnectionRestored += (_, _) => _marked.Clear();
    }

    /// <summary>
    /// The cached value, or what <paramref name="load"/> returns (at most one load per key at a time in this process). A null is not
    /// cached: for a value that does not exist, the database is queried every time.
    /// </summary>
    /// <param name="key">Redis key.</param>
    /// <param name="timeToLive">Longest age; up to a fifth is subtracted at random, so that keys filled together do not expire together.</param>
    /// <param name="json">How the value is written.</param>
    /// <param name="load">Reads the current value from the database. Runs without the caller's cancellation: others may wait for it too.</param>
    /// <param name="cancellationToken">Ends this caller's wait only.</param>
    public async Task<T?> GetOrLoadAsync<T>(
        string key, TimeSpan timeToLive, JsonTypeInfo<T> json, Func<Task<T?>> load, CancellationToken cancellationToken)
        where T : class
    {
        if (await TryReadAsync(key) is { } cached && TryParse(cached, json, out var value))
        {
            return value;
        }

        var loading = _loads.GetOrAdd(key, _ => new(() => LoadAsync(key, timeToLive, json, load)));
        // Runs even if this caller has stopped waiting: a finished load must never be joined.
        _ = loading.Value.ContinueWith(
            _ => _loads.TryRemove(KeyValuePair.Create(key, loading)),
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return (T?)await loading.Value.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Makes the next reads of the keys miss. Call it after the commit. It does not wait for Redis: while Redis is unavailable, the old value
    /// remains until its time to live ends, which is the bound that the caller has chosen.
    /// </summary>
    public void Invalidate(params ReadOnlySpan<string> keys)
    {
        var database = _redis.GetDatabase();
        foreach (var key in keys)
        {
            // A read after this change must not join a load that began before it.
            _loads.TryRemove(key, out _);
            if (_marked.TryGetValue(key, out long at) && _time.GetElapsedTime(at) < s_markerReuse)
            {
                continue;
            }

            try
            {
                var now = _time.GetTimestamp();
                database.StringSet(key, s_marker, s_markerReuse + LongestLoad, flags: CommandFlags.FireAndForget);
                _marked.Set(key, now, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = s_markerReuse });
            }
            catch (RedisException exception)
            {
                LogUnavailable(exception);
                return;
            }
        }
    }

    public void Dispose() => _marked.Dispose();

    [SuppressMessage("Design", "CA1031", Justification = "After any failure of Redis, the database answers.")]
    private async Task<byte[]?> TryReadAsync(string key)
    {
        try
        {
            return await _breaker.ExecuteAsync(
                static async (state, token) => (byte[]?)await state.Redis.GetDatabase().StringGetAsync(state.Key).WaitAsync(RedisTimeout, token),
                (Redis: _redis, Key: key),
                CancellationToken.None);
        }
        catch (BrokenCircuitException)
        {
            return null;
        }
        catch (Exception exception)
        {
            LogUnavailable(exception);
            return null;
        }
    }

    private async Task<object?> LoadAsync<T>(string key, TimeSpan timeToLive, JsonTypeInfo<T> json, Func<Task<T?>> load)
        where T : class
    {
        var value = await load();
        if (value is not null && _redis.IsConnected)
        {
            var jittered = timeToLive * (1 - (Random.Shared.NextDouble() / 5));
            _redis.GetDatabase().StringSet(
                key, JsonSerializer.SerializeToUtf8Bytes(value, json), jittered, when: When.NotExists, flags: CommandFlags.FireAndForget);
        }

        return value;
    }

    private static bool TryParse<T>(byte[] cached, JsonTypeInfo<T> json, [NotNullWhen(true)] out T? value)
        where T : class
    {
        value = null;
        if (cached.AsSpan().SequenceEqual(s_marker))
        {
            return false;
        }

        try
        {
            value = JsonSerializer.Deserialize(cached, json);
        }
        catch (JsonException)
        {
            // Written by an older or newer version of the service: a miss.
        }

        return value is not null;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis does not answer; reading from the database")]
    private partial void LogUnavailable(Exception exception);
}

internal sealed class CacheHealthCheck(IConnectionMultiplexer redis) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(redis.IsConnected
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded("Redis does not answer; reads go to the database."));
}

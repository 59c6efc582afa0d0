using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Http;
using Polly;
using Polly.CircuitBreaker;
using RedisRateLimiting;
using StackExchange.Redis;

namespace OrderInventory.Gateway;

/// <summary>
/// How much one caller may ask (section <c>Gateway:RateLimit</c>). A caller is a validated token's <c>sub</c>, else an address; each has a
/// token bucket: every request takes one token, and none left is 429.
/// </summary>
internal sealed class CallerLimitOptions
{
    public const string Section = "Gateway:RateLimit";

    /// <summary>Tokens that a bucket holds at most: the requests that a caller may make at once.</summary>
    [Range(1, int.MaxValue)]
    public int Burst { get; set; } = 10_000;

    /// <summary>Tokens that come back in each <see cref="Period"/>.</summary>
    [Range(1, int.MaxValue)]
    public int Tokens { get; set; } = 5_000;

    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan Period { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Several gateways share the buckets, in Redis. Off, each counts for itself, which for a single gateway is the same without a call to
    /// Redis for each request.
    /// </summary>
    public bool Shared { get; set; }

    /// <summary>How long one request waits for Redis before this gateway counts for itself.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:10")]
    public TimeSpan RedisTimeout { get; set; } = TimeSpan.FromMilliseconds(100);
}

internal static class CallerLimits
{
    public static void AddCallerLimits(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<CallerLimitOptions>().BindConfiguration(CallerLimitOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        if (builder.Configuration.GetValue<bool>($"{CallerLimitOptions.Section}:{nameof(CallerLimitOptions.Shared)}"))
        {
            builder.AddRedisClient("redis", settings => settings.DisableHealthChecks = true, options =>
            {
                options.AbortOnConnectFail = false;
                options.ConnectTimeout = 1000;
                options.ConnectRetry = 1;
                options.BacklogPolicy = BacklogPolicy.FailFast;
            });
            builder.Services.AddSingleton<SharedBuckets>();
        }

        builder.Services.AddRateLimiter(_ => { });
        builder.Services.AddOptions<RateLimiterOptions>().Configure<IOptions<CallerLimitOptions>, IServiceProvider>((limiter, options, services) =>
        {
            var (limits, shared) = (options.Value, services.GetService<SharedBuckets>());
            limiter.OnRejected = (refused, _) => RefuseAsync(refused, limits.Period);
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(http =>
                IsProbe(http) ? RateLimitPartition.GetNoLimiter("")
                : shared is not null ? RateLimitPartition.Get(CallerOf(http), shared.For)
                : RateLimitPartition.GetTokenBucketLimiter(CallerOf(http), _ => BucketOf(limits)));
        });
    }

    public static TokenBucketRateLimiterOptions BucketOf(CallerLimitOptions limits) => new()
    {
        TokenLimit = limits.Burst,
        TokensPerPeriod = limits.Tokens,
        ReplenishmentPeriod = limits.Period,
    };

    /// <summary>An orchestrator asks these, and a caller who has used up a limit must not make the gateway look ill.</summary>
    private static bool IsProbe(HttpContext http) => http.Request.Path == "/health" || http.Request.Path == "/alive";

    private static string CallerOf(HttpContext http) =>
        http.User.FindFirst("sub")?.Value is { Length: > 0 } sub ? $"sub:{sub}" : $"address:{Network(http.Connection.RemoteIpAddress)}";

    /// <summary>One subscriber of IPv6 has a whole /64 (RFC 6177) and could take a new address for each request.</summary>
    private static string Network(IPAddress? address)
    {
        if (address is null or { AddressFamily: AddressFamily.InterNetwork } or { IsIPv4MappedToIPv6: true })
        {
            return address?.MapToIPv4().ToString() ?? "";
        }

        return Convert.ToHexStringLower(address.GetAddressBytes().AsSpan(0, 8));
    }

    private static async ValueTask RefuseAsync(OnRejectedContext context, TimeSpan period)
    {
        // The buckets in Redis do not always say it; they get their tokens once in a period.
        var after = context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var known) ? known : period;
        context.HttpContext.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(after.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        await Problems.Of("too-many-requests", "Too many requests.", StatusCodes.Status429TooManyRequests, "Nothing was changed. Try again after Retry-After seconds.")
            .ExecuteAsync(context.HttpContext);
    }
}

/// <summary>
/// Buckets in Redis. A Redis that is slow or away costs at most <see cref="CallerLimitOptions.RedisTimeout"/>, then each gateway counts for itself for a while: a
/// limit that is too generous for a moment is better than a system that refuses everybody.
/// </summary>
internal sealed partial class SharedBuckets(IConnectionMultiplexer redis, IOptions<CallerLimitOptions> options, ILogger<SharedBuckets> logger)
{
    private readonly ResiliencePipeline _breaker = RedisBreaker.Create(() => LogAway(logger));

    public RateLimiter For(string caller) => new Bucket(caller, redis, options.Value, _breaker);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis does not answer; this gateway counts its callers' requests for itself")]
    private static partial void LogAway(ILogger logger);

    private sealed class Bucket : RateLimiter
    {
        private readonly ResiliencePipeline _breaker;
        private readonly TimeSpan _timeout;
        private readonly RedisTokenBucketRateLimiter<string> _shared;
        private readonly TokenBucketRateLimiter _own;
        private long _lastUsed = Environment.TickCount64;

        public Bucket(string caller, IConnectionMultiplexer redis, CallerLimitOptions limits, ResiliencePipeline breaker)
        {
            _breaker = breaker;
            _timeout = limits.RedisTimeout;
            _own = new(CallerLimits.BucketOf(limits));
            _shared = new RedisTokenBucketRateLimiter<string>(caller, new()
            {
                ConnectionMultiplexerFactory = () => redis,
                TokenLimit = limits.Burst,
                TokensPerPeriod = limits.Tokens,
                ReplenishmentPeriod = limits.Period,
            });
        }

        public override TimeSpan? IdleDuration => _own.IdleDuration is null ? null : TimeSpan.FromMilliseconds(Environment.TickCount64 - Volatile.Read(ref _lastUsed));

        public override RateLimiterStatistics? GetStatistics() => null;

        /// <summary>Redis cannot be asked without waiting, so the middleware goes on to <see cref="AcquireAsyncCore"/>.</summary>
        protected override RateLimitLease AttemptAcquireCore(int permitCount) => _shared.AttemptAcquire(permitCount);

        protected override async ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken)
        {
            Volatile.Write(ref _lastUsed, Environment.TickCount64);
            try
            {
                return await _breaker.ExecuteAsync(
                    async stop => await _shared.AcquireAsync(permitCount, stop).AsTask().WaitAsync(_timeout, stop), cancellationToken);
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException or BrokenCircuitException)
            {
                return _own.AttemptAcquire(permitCount);
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _shared.Dispose();
                _own.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}

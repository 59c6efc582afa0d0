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
/// The rate limit of one caller (section <c>Gateway:RateLimit</c>). A caller is the <c>sub</c> of a validated token, otherwise an address. Each
/// has a token bucket: every request takes one token, and an empty bucket means 429.
/// </summary>
internal sealed class CallerLimitOptions
{
    public const string Section = "Gateway:RateLimit";

    /// <summary>Capacity of a bucket, in tokens: the requests that a caller may make in one burst.</summary>
    [Range(1, int.MaxValue)]
    public int Burst { get; set; } = 10_000;

    /// <summary>Tokens added in each <see cref="Period"/>.</summary>
    [Range(1, int.MaxValue)]
    public int Tokens { get; set; } = 5_000;

    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan Period { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Whether several gateways share the buckets, in Redis. When false, each gateway counts separately; for a single gateway that is equivalent
    /// and saves a Redis call per request.
    /// </summary>
    public bool Shared { get; set; }

    /// <summary>How long a request waits for Redis before this gateway counts on its own.</summary>
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

    /// <summary>An orchestrator calls these paths; a caller that has used up its limit must not make the gateway look unhealthy.</summary>
    private static bool IsProbe(HttpContext http) => http.Request.Path == "/health" || http.Request.Path == "/alive";

    private static string CallerOf(HttpContext http) =>
        http.User.FindFirst("sub")?.Value is { Length: > 0 } sub ? $"sub:{sub}" : $"address:{Network(http.Connection.RemoteIpAddress)}";

    /// <summary>
    /// The address or, for IPv6, its /64: one subscriber has a whole /64 (RFC 6177) and could use a new address for each request.
    /// </summary>
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
        // The Redis buckets do not always report it; they are refilled once per period.
        var after = context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var known) ? known : period;
        context.HttpContext.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(after.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        await Problems.Of("too-many-requests", "Too many requests.", StatusCodes.Status429TooManyRequests, "Nothing was changed. Try again after Retry-After seconds.")
            .ExecuteAsync(context.HttpContext);
    }
}

/// <summary>
/// Buckets in Redis. When Redis is slow or down, a request waits at most <see cref="CallerLimitOptions.RedisTimeout"/>; then each gateway counts
/// on its own for a while. A limit that is briefly too generous is better than a system that refuses everybody.
/// </summary>
internal sealed partial class SharedBuckets(IConnectionMultiplexer redis, IOptions<CallerLimitOptions> options, ILogger<SharedBuckets> logger)
{
    private readonly ResiliencePipeline _breaker = RedisBreaker.Create(() => LogRedisUnavailable(logger));

    public RateLimiter For(string caller) => new Bucket(caller, redis, options.Value, _breaker);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis does not answer; this gateway uses its own token buckets")]
    private static partial void LogRedisUnavailable(ILogger logger);

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

        /// <summary>Redis cannot be queried synchronously, so the middleware continues with <see cref="AcquireAsyncCore"/>.</summary>
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

using Aspire.StackExchange.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Aspire.StackExchange.Redis
{
    // The instrumentation and the health check that the real package brings are not part of the shim; who wants the check hears so.
    public sealed class StackExchangeRedisSettings
    {
        public string? ConnectionString { get; set; }
        public bool DisableHealthChecks { get; set; }
        public bool DisableTracing { get; set; }
        public bool DisableAutoActivation { get; set; } = true;
    }
}

namespace Microsoft.Extensions.Hosting
{
    public static class AspireRedisExtensions
    {
        public static void AddRedisClient(
            this IHostApplicationBuilder builder,
            string connectionName,
            Action<StackExchangeRedisSettings>? configureSettings = null,
            Action<ConfigurationOptions>? configureOptions = null)
        {
            var section = builder.Configuration.GetSection("Aspire:StackExchange:Redis");
            var settings = new StackExchangeRedisSettings();
            section.Bind(settings);
            section.GetSection(connectionName).Bind(settings);
            settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
            configureSettings?.Invoke(settings);
            if (!settings.DisableHealthChecks)
            {
                throw new NotSupportedException("The Aspire shim has no Redis health check: set DisableHealthChecks.");
            }

            builder.Services.AddSingleton<IConnectionMultiplexer>(services =>
            {
                var address = settings.ConnectionString ?? throw new InvalidOperationException($"No Redis endpoint: set ConnectionStrings:{connectionName}.");
                var options = ConfigurationOptions.Parse(address);
                if (!address.Contains("abortConnect", StringComparison.OrdinalIgnoreCase))
                {
                    // The real integration's default too: a Redis that is down at start is tried again, not fatal.
                    options.AbortOnConnectFail = false;
                }

                section.GetSection("ConfigurationOptions").Bind(options);
                section.GetSection($"{connectionName}:ConfigurationOptions").Bind(options);
                configureOptions?.Invoke(options);
                options.LoggerFactory ??= services.GetService<ILoggerFactory>();
                return ConnectionMultiplexer.Connect(options);
            });
            if (!settings.DisableAutoActivation)
            {
                builder.Services.ActivateSingleton<IConnectionMultiplexer>();
            }
        }
    }
}

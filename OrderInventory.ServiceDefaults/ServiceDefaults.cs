using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.ServiceDefaults;

/// <summary>
/// Adds what every service of the system has: telemetry, health, service discovery, tokens and policies, strict JSON and problem details.
/// </summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>Largest request body, in bytes; a larger one is 413. Bulk endpoints raise their own limit.</summary>
    public const long MaxRequestBodySize = 1024 * 1024;

    /// <summary>Largest body of a bulk import, in bytes; it is read as a stream.</summary>
    public const long MaxImportBodySize = 100 * 1024 * 1024;

    private const string HealthPath = "/health";
    private const string AlivePath = "/alive";

    /// <summary>
    /// Defaults below all other configuration. Logging each request and each statement would be most of a service's work; traces show them better.
    /// </summary>
    private static readonly KeyValuePair<string, string?>[] s_configuration =
    [
        new("Logging:LogLevel:Microsoft.AspNetCore", "Warning"),
        new("Logging:LogLevel:Microsoft.EntityFrameworkCore", "Warning"),
        new("Logging:LogLevel:Npgsql", "Warning"),
        new("Logging:LogLevel:System.Net.Http", "Warning"),
        new("Logging:LogLevel:StackExchange.Redis", "Warning"),
        new("Logging:LogLevel:Polly", "Error"),
        // Clients that poll /health read the result in the response.
        new("Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks", "Critical"),
    ];

    /// <param name="builder">The service's builder.</param>
    /// <param name="checksTokens">False for the token issuer, whose callers have no tokens yet; it authenticates them in its own way.</param>
    public static WebApplicationBuilder AddServiceDefaults(this WebApplicationBuilder builder, bool checksTokens = true)
    {
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = s_configuration });
        builder.AddTelemetry();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http => http
            .AddServiceDiscovery()
            .ConfigurePrimaryHttpMessageHandler((handler, _) =>
            {
                // An incoming trace state is forwarded in calls to other services byte by byte.
                if (handler is SocketsHttpHandler sockets)
                {
                    sockets.RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1;
                }
            }));
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), ["alive"]);

        builder.Services.AddSingleton<IStartupFilter, PolicyCheck>();
        if (checksTokens)
        {
            builder.AddTokenAuthentication();
        }

        builder.Services.AddProblems();
        builder.Services.AddBodyRules();
        builder.Services.AddRouting(routing => routing.SetParameterPolicy<UuidConstraint>("guid"));
        builder.Services.ConfigureHttpJsonOptions(json => StrictJson.Configure(json.SerializerOptions));
        // Runs after the services' own configuration, because it needs the types that they add.
        builder.Services.PostConfigure<Microsoft.AspNetCore.Http.Json.JsonOptions>(json => NullElements.Refuse(json.SerializerOptions));
        builder.Services.ConfigureAll<OpenApiOptions>(ApiDescriptions.Configure);
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // With Kestrel's own names, such as Http:Limits:MaxRequestHeadersTotalSize.
            builder.Configuration.GetSection("Http:Limits").Bind(kestrel.Limits);
            kestrel.Limits.MaxRequestBodySize = MaxRequestBodySize;
            kestrel.AddServerHeader = false;
            // A header may have any bytes except control characters (RFC 9110, section 5.5), such as a cookie of another application on the host.
            // Latin-1 preserves each byte; no header that is read here uses characters beyond ASCII.
            kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
            kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
        });
        // In-flight requests and batches get this long when the process is told to stop; run.sh promises 30 s for the whole system.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(15));
        return builder;
    }

    /// <summary>
    /// Adds error handling, authorization, the rules for every request, and the health endpoints. Call it before mapping anything else.
    /// </summary>
    public static WebApplication MapServiceDefaults(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseConnectionClose();
        if (app.Services.GetService<NpgsqlDataSource>() is not null)
        {
            // Not in the gateway, which only forwards.
            app.UseAdmission();
        }

        app.UseRoutingOfHead();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseQueryRules();
        app.UseBodyRules();
        app.MapHealthChecks(HealthPath, new() { Predicate = check => !check.Tags.Contains("alive"), ResponseWriter = WriteHealthAsync })
            .WithMetadata(new HttpMethodMetadata([HttpMethods.Get])).AllowAnonymous();
        app.MapHealthChecks(AlivePath, new() { Predicate = check => check.Tags.Contains("alive") })
            .WithMetadata(new HttpMethodMetadata([HttpMethods.Get])).AllowAnonymous();
        return app;
    }

    /// <summary>
    /// Runs until the process is told to stop. A stop during the start is a normal end too; any other error during the start is thrown.
    /// </summary>
    public static void RunUntilStopped(this WebApplication app)
    {
        if (app.Services.GetService<DatabaseMigrator>() is { EndsAfterwards: true } migrator)
        {
            migrator.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
            return;
        }

        var stopping = app.Lifetime.ApplicationStopping;
        try
        {
            ((IHost)app).Run();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The host cancels its start; unhandled, this exception would end the process like a crash.
        }
    }

    private static void AddTelemetry(this WebApplicationBuilder builder)
    {
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        var telemetry = builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation()
                .AddMeter("OrderInventory.*"))
            .WithTracing(tracing => tracing
                .AddSource(builder.Environment.ApplicationName)
                .AddSource("OrderInventory.*")
                .AddAspNetCoreInstrumentation(o => o.Filter = http =>
                    http.Request.Path != HealthPath && http.Request.Path != AlivePath)
                .AddHttpClientInstrumentation());

        // Aspire sets the endpoint; without one, telemetry stays in the process.
        if (!string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            telemetry.UseOtlpExporter();
        }
    }

    private static Task WriteHealthAsync(HttpContext http, HealthReport report)
    {
        http.Response.ContentType = "application/json";
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("status", JsonNamingPolicy.CamelCase.ConvertName(report.Status.ToString()));
            json.WriteStartObject("checks");
            foreach (var (name, entry) in report.Entries)
            {
                json.WriteStartObject(name);
                json.WriteString("status", JsonNamingPolicy.CamelCase.ConvertName(entry.Status.ToString()));
                if (entry.Description is { } description)
                {
                    json.WriteString("description", description);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return http.Response.Body.WriteAsync(stream.GetBuffer().AsMemory(0, (int)stream.Length)).AsTask();
    }
}

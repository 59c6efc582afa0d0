using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using OpenTelemetry;

namespace OrderInventory.ServiceDefaults.Identity;

/// <summary>
/// The provider's keys, from its discovery document. They are fetched when the service starts, then every <see cref="Interval"/>, and at most
/// every <see cref="AuthenticationSettings.RefreshInterval"/> when a token names an unknown key; never for a request whose key is known. While
/// the provider does not answer, the last keys stay in use; before its first answer all callers are refused.
/// </summary>
internal sealed partial class AuthorityKeys : BackgroundService, IHealthCheck
{
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    /// <summary>A starting system waits for the first answer, without which all callers are refused, so it is requested every second.</summary>
    private static readonly TimeSpan s_firstRetry = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_longestRetry = TimeSpan.FromSeconds(5);

    private readonly AuthenticationSettings _settings;
    private readonly ILogger<AuthorityKeys> _logger;
    private readonly Retriever? _retriever;
    private volatile string? _failure;
    private volatile OpenIdConnectConfiguration? _last;

    public AuthorityKeys(IOptions<AuthenticationSettings> settings, IHttpClientFactory clients, IHostEnvironment environment, ILogger<AuthorityKeys> logger)
    {
        (_settings, _logger) = (settings.Value, logger);
        if (_settings.Discovery is { } address)
        {
            // The document decides which tokens are accepted, so over a network it is read only with TLS.
            var https = !environment.IsDevelopment() && !(Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.IsLoopback);
            _retriever = new(clients, https, this);
            Manager = new(address, new OpenIdConnectConfigurationRetriever(), _retriever)
            {
                AutomaticRefreshInterval = Interval,
                RefreshInterval = _settings.RefreshInterval,
                // A key that the provider has withdrawn is invalid immediately; otherwise it would stay valid for an hour.
                UseLastKnownGoodConfiguration = false,
            };
        }
    }

    /// <summary>The name of the HTTP client that calls the provider.</summary>
    public const string Client = "authority";

    /// <summary>Null without an authority.</summary>
    public ConfigurationManager<OpenIdConnectConfiguration>? Manager { get; }

    /// <summary>Whether there are keys to check signatures with.</summary>
    public bool AreKnown => _last is not null;

    /// <summary>The address that issues tokens; null while it is unknown.</summary>
    public string? TokenEndpoint => _last?.TokenEndpoint;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        Manager is null ? HealthCheckResult.Unhealthy("Authentication:Authority is not set, so all callers are refused.")
        : _last is null ? HealthCheckResult.Unhealthy("The authority has not answered yet, so all callers are refused.")
        : _failure is not null ? HealthCheckResult.Degraded("The authority does not answer; its last keys are in use.")
        : HealthCheckResult.Healthy());

    /// <summary>Completes the first attempt before the service accepts requests.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (Manager is null)
        {
            LogNoAuthority();
            return;
        }

        await FetchAsync(Manager, cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failures = 0;
        while (true)
        {
            failures = _failure is null ? 0 : failures + 1;
            var wait = failures == 0 ? Interval : AreKnown ? TimeSpan.FromSeconds(Math.Min(failures, s_longestRetry.TotalSeconds)) : s_firstRetry;
            await Task.Delay(wait, TimeProvider.System, stoppingToken);
            await FetchAsync(Manager!, stoppingToken);
        }
    }

    private async Task FetchAsync(ConfigurationManager<OpenIdConnectConfiguration> manager, CancellationToken cancellationToken)
    {
        // A request from a timer belongs to no trace.
        using var quiet = SuppressInstrumentationScope.Begin();
        try
        {
            if (AreKnown)
            {
                manager.RequestRefresh();
            }
            else
            {
                // Before its first success the manager doubles its wait after each failure, so it is called only once the provider answers.
                await _retriever!.GetDocumentAsync(_settings.Discovery!, cancellationToken);
            }

            _last = await manager.GetConfigurationAsync(cancellationToken);
        }
        catch (InvalidOperationException exception)
        {
            Failed(exception.GetBaseException().Message);
        }
        catch (Exception exception) when (IsUnavailable(exception))
        {
            // There was no answer, which the retriever has recorded, or the service is stopping.
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private static bool IsUnavailable(Exception exception) => exception is IOException or ArgumentException or OperationCanceledException;

    private void Answered()
    {
        if (Interlocked.Exchange(ref _failure, null) is not null)
        {
            LogAnswers(_settings.Discovery!);
        }
    }

    private void Failed(string reason)
    {
        // Logged once, not at every attempt.
        if (Interlocked.Exchange(ref _failure, reason) is not null)
        {
            return;
        }

        if (AreKnown)
        {
            LogLost(_settings.Discovery!, reason);
        }
        else
        {
            LogNeverAnswered(_settings.Discovery!, reason);
        }
    }

    /// <summary>Fetches the document for the manager and records the outcome, which the manager does not expose.</summary>
    private sealed class Retriever(IHttpClientFactory clients, bool requireHttps, AuthorityKeys keys) : IDocumentRetriever
    {
        public async Task<string> GetDocumentAsync(string address, CancellationToken cancel)
        {
            using var client = clients.CreateClient(Client);
            try
            {
                // The retriever checks the cancellation token only between its attempts.
                var document = await new HttpDocumentRetriever(client) { RequireHttps = requireHttps }.GetDocumentAsync(address, cancel).WaitAsync(cancel);
                keys.Answered();
                return document;
            }
            catch (Exception exception) when (IsUnavailable(exception) && !cancel.IsCancellationRequested)
            {
                keys.Failed(string.Create(CultureInfo.InvariantCulture, $"{address}: {exception.GetBaseException().Message}"));
                throw;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "Authentication:Authority is not set: all callers are refused. Set it to an OpenID Connect provider.")]
    private partial void LogNoAuthority();

    [LoggerMessage(Level = LogLevel.Error, Message = "The authority does not answer ({Address}), so all callers are refused until it does: {Reason}")]
    private partial void LogNeverAnswered(string address, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The authority no longer answers ({Address}); tokens are checked with its last keys: {Reason}")]
    private partial void LogLost(string address, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The authority answers again ({Address})")]
    private partial void LogAnswers(string address);
}

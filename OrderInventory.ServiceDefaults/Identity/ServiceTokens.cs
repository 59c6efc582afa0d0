using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry;

namespace OrderInventory.ServiceDefaults.Identity;

/// <summary>
/// This service's own token, for its calls to other services: client credentials (RFC 6749, section 4.4). Only one request for a token runs at a
/// time, however many calls wait for it; the token is renewed in the background after <see cref="RenewAfter"/> of its life, so only the first
/// call waits.
/// </summary>
internal sealed partial class ServiceTokens(
    IOptions<AuthenticationSettings> settings, AuthorityKeys authority, IHttpClientFactory clients, TimeProvider time, ILogger<ServiceTokens> logger)
{
    /// <summary>The fraction of a token's life after which the next one is requested.</summary>
    public const double RenewAfter = 0.75;

    /// <summary>A failed renewal is retried after this time at the earliest.</summary>
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(1);

    /// <summary>A token is no longer sent this long before it expires.</summary>
    private static readonly TimeSpan s_margin = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private Token? _token;
    private Task<Token>? _request;
    private DateTimeOffset _notBefore;

    /// <exception cref="HttpRequestException">There is no token, and the provider currently issues none.</exception>
    public async ValueTask<string> GetAsync(CancellationToken cancellationToken)
    {
        Task<Token> request;
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (_token is { } known && now < known.Renew)
            {
                return known.Text;
            }

            if (_request is null or { IsCompleted: true } && (now >= _notBefore || _token is null))
            {
                // Shared by all calls: it continues when the call that started it has given up.
                _request = RequestTokenAsync();
            }

            if (_token is { } last && now < last.Ends)
            {
                return last.Text;
            }

            request = _request!;
        }

        return (await request.WaitAsync(cancellationToken)).Text;
    }

    private async Task<Token> RequestTokenAsync()
    {
        await Task.Yield();
        // It does not belong to the trace of that call either.
        Activity.Current = null;
        using var quiet = SuppressInstrumentationScope.Begin();
        try
        {
            var endpoint = authority.TokenEndpoint ?? throw new HttpRequestException("The identity provider has not answered yet.");
            var form = new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["client_id"] = settings.Value.ClientId is { Length: > 0 } id ? id : throw new HttpRequestException("Authentication:ClientId is not set, so this service gets no token for its calls."),
                ["client_secret"] = settings.Value.ClientSecret ?? "",
            };
            if (settings.Value.Scope is { Length: > 0 } scope)
            {
                form["scope"] = scope;
            }

            using var client = clients.CreateClient(AuthorityKeys.Client);
            using var content = new FormUrlEncodedContent(form);
            var requestedAt = time.GetUtcNow();
            using var response = await client.PostAsync(endpoint, content);
            response.EnsureSuccessStatusCode();
            var answer = await response.Content.ReadFromJsonAsync<Answer>() ?? throw new HttpRequestException("The identity provider's answer is empty.");
            // Without expires_in a token lives a minute (RFC 6749, section 5.1, only recommends the member).
            var life = TimeSpan.FromSeconds(answer.ExpiresIn ?? 60);
            var token = new Token(answer.AccessToken, requestedAt + (life * RenewAfter), requestedAt + life - s_margin);
            lock (_lock)
            {
                (_token, _request) = (token, null);
            }

            return token;
        }
        catch (Exception exception)
        {
            lock (_lock)
            {
                _notBefore = time.GetUtcNow() + s_retry;
            }

            LogNoToken(exception.Message);
            throw exception is HttpRequestException ? exception : new HttpRequestException("The identity provider returned no token.", exception);
        }
    }

    private sealed record Token(string Text, DateTimeOffset Renew, DateTimeOffset Ends);

    private sealed record Answer([property: JsonPropertyName("access_token")] string AccessToken, [property: JsonPropertyName("expires_in")] long? ExpiresIn);

    [LoggerMessage(Level = LogLevel.Warning, Message = "This service could not get a token for its calls to other services: {Reason}")]
    private partial void LogNoToken(string reason);
}

/// <summary>Adds this service's token to its calls to other services.</summary>
internal sealed class ServiceTokenHandler(ServiceTokens tokens) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await tokens.GetAsync(cancellationToken));
        return await base.SendAsync(request, cancellationToken);
    }
}

using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace OrderInventory.Console.Access;

/// <summary>
/// The tokens of the people who are signed in, by the session that their cookie names. An access token that expires soon is renewed if the provider
/// has given a refresh token; otherwise the session ends with the access token.
/// </summary>
internal sealed partial class Sessions(IOptionsMonitor<OpenIdConnectOptions> providers, TimeProvider time, ILogger<Sessions> logger)
{
    /// <summary>The claim that names the session.</summary>
    public const string Claim = "console_session";

    /// <summary>How long before its expiry a token is renewed: longer than any request takes.</summary>
    private static readonly TimeSpan s_renewAhead = TimeSpan.FromSeconds(30);

    /// <summary>How long an unused session that could be renewed is kept after its last token has expired.</summary>
    private static readonly TimeSpan s_maxIdle = TimeSpan.FromHours(12);

    private readonly ConcurrentDictionary<string, Session> _sessions = new();

    /// <summary>Open pages whose session has ended, by their ticket.</summary>
    private readonly ConcurrentDictionary<string, (string? Sub, Action<ClaimsPrincipal> Take)> _waiting = new();

    /// <param name="answer">The response of the provider's token endpoint.</param>
    /// <returns>The session's name, which nobody can guess.</returns>
    public string Begin(OpenIdConnectMessage answer)
    {
        var now = time.GetUtcNow();
        foreach (var (old, session) in _sessions)
        {
            if (session.Ends + (session.Refresh is null ? TimeSpan.Zero : s_maxIdle) <= now)
            {
                _sessions.TryRemove(old, out _);
            }
        }

        var name = NewName();
        _sessions[name] = Read(answer, null);
        return name;
    }

    /// <summary>A token that is valid for a request made now. Null when the session has ended: then the person must sign in again.</summary>
    public async Task<string?> TokenOfAsync(ClaimsPrincipal? user)
    {
        if (user?.FindFirstValue(Claim) is not { } name || !_sessions.TryGetValue(name, out var session))
        {
            return null;
        }

        var now = time.GetUtcNow();
        if (session.Ends - now > s_renewAhead)
        {
            return session.Token;
        }

        if (session.Refresh is not null)
        {
            await session.Renewal.WaitAsync();
            try
            {
                // Another page of the same person may have been quicker.
                if (_sessions.TryGetValue(name, out var current) && current.Ends == session.Ends)
                {
                    _sessions[name] = await RenewAsync(current);
                }
            }
            finally
            {
                session.Renewal.Release();
            }

            session = _sessions.GetValueOrDefault(name);
        }

        if (session?.Ends > now)
        {
            return session.Token;
        }

        _sessions.TryRemove(name, out _);
        return null;
    }

    public void End(ClaimsPrincipal user)
    {
        if (user.FindFirstValue(Claim) is { } name)
        {
            _sessions.TryRemove(name, out _);
        }
    }

    /// <summary>An open page waits until its person has signed in again in another tab.</summary>
    /// <param name="user">Whose page it is.</param>
    /// <param name="take">Receives the person with the new session.</param>
    /// <returns>A ticket that nobody can guess, for <see cref="Continue"/>.</returns>
    public string Wait(ClaimsPrincipal user, Action<ClaimsPrincipal> take)
    {
        var ticket = NewName();
        _waiting[ticket] = (user.FindFirstValue("sub"), take);
        return ticket;
    }

    public void StopWaiting(string? ticket) => _waiting.TryRemove(ticket ?? "", out _);

    /// <summary>Lets an open page go on with a new session, which must be the same person's. The old session stays ended.</summary>
    public bool Continue(string ticket, ClaimsPrincipal user)
    {
        if (!_waiting.TryGetValue(ticket, out var page) || page.Sub is null || page.Sub != user.FindFirstValue("sub") || !_waiting.TryRemove(ticket, out _))
        {
            return false;
        }

        page.Take(user);
        return true;
    }

    private static string NewName() => Convert.ToHexString(RandomNumberGenerator.GetBytes(32));

    /// <summary>The session with new tokens; unchanged when the provider gives none.</summary>
    private async Task<Session> RenewAsync(Session session)
    {
        var provider = providers.Get(OpenIdConnectDefaults.AuthenticationScheme);
        try
        {
            var configuration = await provider.ConfigurationManager!.GetConfigurationAsync(CancellationToken.None);
            using var form = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "refresh_token",
                ["refresh_token"] = session.Refresh!,
                ["client_id"] = provider.ClientId!,
                ["client_secret"] = provider.ClientSecret ?? "",
            });
            using var response = await provider.Backchannel.PostAsync(new Uri(configuration.TokenEndpoint), form);
            if (response.IsSuccessStatusCode)
            {
                return Read(new(await response.Content.ReadAsStringAsync()), session);
            }

            LogRefused((int)response.StatusCode);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or InvalidOperationException)
        {
            LogNotReached(exception.Message);
        }

        return session;
    }

    private Session Read(OpenIdConnectMessage answer, Session? before)
    {
        var life = double.TryParse(answer.ExpiresIn, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : TimeSpan.FromHours(1);
        return new(answer.AccessToken, time.GetUtcNow() + life, answer.RefreshToken ?? before?.Refresh, before?.Renewal ?? new(1));
    }

    private sealed record Session(string Token, DateTimeOffset Ends, string? Refresh, SemaphoreSlim Renewal);

    [LoggerMessage(Level = LogLevel.Information, Message = "The identity provider refused to renew a token: it answered {Status}")]
    private partial void LogRefused(int status);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The identity provider could not be reached to renew a token: {Reason}")]
    private partial void LogNotReached(string reason);
}

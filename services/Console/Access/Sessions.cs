using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;

namespace OrderInventory.Console.Access;

/// <summary>The access tokens of the people who are signed in, by the session that their cookie names.</summary>
internal sealed class Sessions(TimeProvider time)
{
    /// <summary>The claim that names the session.</summary>
    public const string Claim = "console_session";

    private readonly ConcurrentDictionary<string, (string Token, DateTimeOffset Ends)> _sessions = new();

    public string Begin(string token, TimeSpan life)
    {
        var now = time.GetUtcNow();
        foreach (var (old, _) in _sessions.Where(session => session.Value.Ends <= now))
        {
            _sessions.TryRemove(old, out _);
        }

        var session = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        _sessions[session] = (token, now + life);
        return session;
    }

    /// <summary>Null when the session is over: then the person signs in again.</summary>
    public string? TokenOf(ClaimsPrincipal? user) =>
        user?.FindFirstValue(Claim) is { } session && _sessions.TryGetValue(session, out var known) && known.Ends > time.GetUtcNow() ? known.Token : null;

    public void End(ClaimsPrincipal user)
    {
        if (user.FindFirstValue(Claim) is { } session)
        {
            _sessions.TryRemove(session, out _);
        }
    }
}

using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Notifications.Domain;

/// <summary>Who changed what of the company's own settings. Append-only; it outlives what it tells of.</summary>
internal sealed class ChangeEntry
{
    public Guid Id { get; private init; }
    public DateTimeOffset At { get; private init; }

    /// <summary>The path below <c>/api/notifications/</c>, such as <c>webhooks/{id}</c>.</summary>
    public string Resource { get; private init; } = "";

    /// <summary>In a word: <c>created</c>, <c>changed</c>, <c>secretRotated</c>, <c>deleted</c>.</summary>
    public string What { get; private init; } = "";

    /// <summary>The resource's version after it; that before it for a deletion.</summary>
    public long Version { get; private init; }

    public string Sub { get; private init; } = "";
    public string Role { get; private init; } = "";

    /// <summary>Save it together with the change itself.</summary>
    public static ChangeEntry Of(Caller caller, string resource, string what, long version, DateTimeOffset now) =>
        new() { Id = Guid.CreateVersion7(now), At = now, Resource = resource, What = what, Version = version, Sub = caller.Sub, Role = caller.Role };
}

using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Notifications.Domain;

/// <summary>Who changed which of the company's own settings. Append-only; the entry outlives the resource.</summary>
internal sealed class ChangeEntry
{
    public Guid Id { get; private init; }
    public DateTimeOffset At { get; private init; }

    /// <summary>The path below <c>/api/notifications/</c>, such as <c>webhooks/{id}</c>.</summary>
    public string Resource { get; private init; } = "";

    /// <summary>One of <c>created</c>, <c>changed</c>, <c>secretRotated</c>, <c>deleted</c>.</summary>
    public string What { get; private init; } = "";

    /// <summary>The resource's version after the change; for a deletion, the version before it.</summary>
    public long Version { get; private init; }

    public string Sub { get; private init; } = "";
    public string Role { get; private init; } = "";

    /// <summary>Save it together with the change itself.</summary>
    public static ChangeEntry Of(Caller caller, string resource, string what, long version, DateTimeOffset now) =>
        new() { Id = Guid.CreateVersion7(now), At = now, Resource = resource, What = what, Version = version, Sub = caller.Sub, Role = caller.Role };
}

namespace OrderInventory.Notifications.Domain;

/// <summary>How a member of staff wants to be notified.</summary>
/// <param name="Email">By e-mail.</param>
/// <param name="Sms">By text message; false when left out.</param>
public sealed record StaffChannels(bool Email, bool Sms = false);

/// <summary>The settings of a member of staff.</summary>
internal sealed record StaffDetails(string Name, string? Email, string? Phone, StaffChannels Channels, IReadOnlyList<string> Events, string Language);

/// <summary>
/// A member of staff who is notified of events in the warehouse. Addresses are read when something is sent, so a change takes effect immediately.
/// </summary>
public sealed class StaffMember
{
    /// <summary>Maximum number of members.</summary>
    public const int MaxCount = 1000;

    private StaffMember()
    {
    }

    public Guid Id { get; private init; }
    public string Name { get; private set; } = "";
    public string? Email { get; private set; }
    public string? Phone { get; private set; }
    public bool ChannelEmail { get; private set; }
    public bool ChannelSms { get; private set; }

    /// <summary>Names of templates: what the member is notified of.</summary>
    public string[] Events { get; private set; } = [];

    public string Language { get; private set; } = "";
    public long Version { get; private set; }
    public DateTimeOffset CreatedAt { get; private init; }
    public DateTimeOffset UpdatedAt { get; private set; }

    internal static StaffMember Create(StaffDetails details, DateTimeOffset now)
    {
        var member = new StaffMember { Id = Guid.CreateVersion7(now), CreatedAt = now };
        member.Change(details, now);
        return member;
    }

    internal void Change(StaffDetails details, DateTimeOffset now)
    {
        (Name, Email, Phone, Language) = (details.Name, details.Email, details.Phone, details.Language);
        (ChannelEmail, ChannelSms) = (details.Channels.Email, details.Channels.Sms);
        Events = [.. details.Events.Distinct()];
        Version++;
        UpdatedAt = now;
    }
}

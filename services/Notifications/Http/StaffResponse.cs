using System.ComponentModel.DataAnnotations;
using System.Linq.Expressions;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Http;

/// <summary>A member of staff.</summary>
/// <param name="Id">UUIDv7.</param>
/// <param name="Name">The name by which messages address the member.</param>
/// <param name="Email">E-mail address, or null.</param>
/// <param name="Phone">Phone number, or null.</param>
/// <param name="Channels">How the member is notified.</param>
/// <param name="Events">What the member is notified of.</param>
/// <param name="Language">IETF language tag of the messages.</param>
/// <param name="Version">Grows by one with every change; also the ETag.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="UpdatedAt">When it was last changed.</param>
public sealed record StaffResponse(
    Guid Id, [property: MaxLength(200)] string Name, [property: MaxLength(254)] string? Email, [property: MaxLength(40)] string? Phone, StaffChannels Channels, IReadOnlyList<string> Events, [property: MaxLength(35)] string Language, long Version,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    internal static readonly Expression<Func<StaffMember, StaffResponse>> Projection = s => new(
        s.Id, s.Name, s.Email, s.Phone, new StaffChannels(s.ChannelEmail, s.ChannelSms), s.Events, s.Language, s.Version, s.CreatedAt, s.UpdatedAt);

    private static readonly Func<StaffMember, StaffResponse> s_toResponse = Projection.Compile();

    internal static StaffResponse Of(StaffMember member) => s_toResponse(member);
}

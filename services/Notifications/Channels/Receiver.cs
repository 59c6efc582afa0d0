using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Channels;

/// <summary>Who is notified, and at which address.</summary>
/// <param name="Address">An address of the channel.</param>
/// <param name="Name">The name for the greeting; null when it is unknown.</param>
/// <param name="Language">The language that they read, as a BCP 47 tag; null when it is unknown.</param>
internal sealed record Receiver(string Address, string? Name, string? Language)
{
    /// <summary>
    /// The receiver, or null and the reason why the message can never be sent. Preferences and addresses are those at the time of sending.
    /// </summary>
    public static Receiver? Find(IMessageChannel channel, ClaimedNotification notification, Facts known, out string? problem)
    {
        Receiver receiver;
        var isRole = false;
        if (notification.CustomerId is { } id)
        {
            var customer = known.Customers?.GetValueOrDefault(id);
            receiver = new((customer is null ? null : channel.AddressOf(customer)) ?? "", customer?.Name, customer?.Language);
            problem = notification switch
            {
                { Erased: true } => Notification.CustomerErased,
                _ when customer is null || string.Equals(customer.Status, "erased", StringComparison.Ordinal) => "The customer does not exist; erased, or never created.",
                { Wanted: false } => $"The customer does not want {channel.Name}.",
                _ when string.IsNullOrWhiteSpace(receiver.Address) => $"The customer has no {channel.AddressName}.",
                _ => null,
            };
        }
        else if (Guid.TryParse(notification.RecipientRef, out _))
        {
            receiver = new(notification.StaffAddress ?? "", notification.StaffName, Language: null);
            problem = notification switch
            {
                { StaffName: null } => "The member of staff has been deleted.",
                { Wanted: false } => $"The member of staff does not want {channel.Name}.",
                _ when string.IsNullOrWhiteSpace(receiver.Address) => $"The member of staff has no {channel.AddressName}.",
                _ => null,
            };
        }
        else
        {
            isRole = true;
            receiver = new(channel.AddressOfRole(notification.RecipientRef) ?? "", notification.StaffName, Language: null);
            problem = string.IsNullOrWhiteSpace(receiver.Address) ? $"Notifications:Staff has no address for the role {notification.RecipientRef}." : null;
        }

        problem ??= channel.IsAddress(receiver.Address, isRole) ? null : $"The {channel.AddressName} is not valid.";
        return problem is null ? receiver : null;
    }
}

using OrderInventory.Contracts.Customers;

namespace OrderInventory.Notifications.Domain;

/// <summary>
/// What this service stores of a customer: no personal data, only whether and how to notify them. A customer without a row is notified by e-mail,
/// unless Customers says otherwise at that time: their first order may overtake the event that says that they exist.
/// </summary>
public sealed class Recipient
{
    public Guid CustomerId { get; private set; }

    /// <summary>The customer's version; an older event changes nothing.</summary>
    public long Version { get; private set; }

    public CustomerStatus Status { get; private set; }

    /// <summary>IETF language tag.</summary>
    public string Language { get; private set; } = "";

    public bool Email { get; private set; }
    public bool Sms { get; private set; }
    public bool Webhook { get; private set; }
}

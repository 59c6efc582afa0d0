using System.Text.Json.Serialization;

namespace OrderInventory.Contracts.Customers;

/// <summary>A customer was created, changed or erased. Contains no personal data: a service that needs an address queries Customers.</summary>
/// <param name="CustomerId">The customer; the Kafka key.</param>
/// <param name="Version">Grows by one with every change.</param>
/// <param name="Status">Whether the customer can order.</param>
/// <param name="Language">IETF language tag for messages, e.g. <c>de</c>.</param>
/// <param name="Channels">How the customer wants to be notified.</param>
public sealed record CustomerUpdated(Guid CustomerId, long Version, CustomerStatus Status, string Language, ContactChannels Channels)
{
    /// <summary>The Kafka topic.</summary>
    public const string Topic = "customer.updated";

    /// <summary>The CloudEvents type.</summary>
    public const string Type = "customer.updated.v1";
}

/// <summary>The channels by which a customer wants to be notified.</summary>
public sealed record ContactChannels(bool Email, bool Sms, bool Webhook);

/// <summary>Whether a customer can order.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<CustomerStatus>))]
public enum CustomerStatus
{
    /// <summary>Can order.</summary>
    Active,

    /// <summary>Personal data is erased; past orders remain.</summary>
    Erased,
}

using OrderInventory.Contracts;
using OrderInventory.Contracts.Customers;
using OrderInventory.Customers.Domain;
using OrderInventory.Messaging;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Customers;

/// <summary>The events that this service publishes. They never say who a customer is.</summary>
internal static class CustomerEvents
{
    private static readonly EventType<CustomerUpdated> s_updated =
        new(CustomerUpdated.Topic, CustomerUpdated.Type, "/customers", EventsJson.Default.CustomerUpdated);

    /// <summary>An event with the customer's current state, for the outbox. Save it together with the change.</summary>
    public static OutboxMessage Updated(Customer customer) => OutboxMessage.Create(
        s_updated, customer.Id, customer.Version,
        new(customer.Id, customer.Version, customer.Status, customer.Language, customer.Channels), customer.UpdatedAt);
}

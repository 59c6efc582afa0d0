using System.ComponentModel.DataAnnotations;
using System.Linq.Expressions;
using OrderInventory.Contracts.Customers;
using OrderInventory.Customers.Domain;

namespace OrderInventory.Customers.Http;

/// <summary>A customer.</summary>
/// <param name="Id">UUIDv7.</param>
/// <param name="Name">The name used to greet the customer in messages.</param>
/// <param name="Email">Unique among customers; upper and lower case do not matter.</param>
/// <param name="Phone">As it was given, or null.</param>
/// <param name="Addresses">Up to 20, oldest first; changed under <c>/api/customers/{id}/addresses</c>.</param>
/// <param name="Language">IETF language tag of the messages to the customer, e.g. <c>de</c>.</param>
/// <param name="Channels">How the customer wants to be notified.</param>
/// <param name="Status">Always <c>active</c>: erased customers are not found.</param>
/// <param name="Version">Grows by one with every change; also the ETag.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="UpdatedAt">When it was last changed.</param>
public sealed record CustomerResponse(
    Guid Id, [property: MaxLength(200)] string Name, [property: MaxLength(254)] string Email, [property: MaxLength(40)] string? Phone, IReadOnlyList<AddressResponse> Addresses, [property: MaxLength(35)] string Language, ContactChannels Channels, CustomerStatus Status, long Version,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    internal static readonly Expression<Func<Customer, CustomerResponse>> Projection = c =>
        new(c.Id, c.Name!, c.Email!, c.Phone, AddressResponse.Of(c.Addresses), c.Language, c.Channels, c.Status, c.Version, c.CreatedAt, c.UpdatedAt);

    private static readonly Func<Customer, CustomerResponse> s_toResponse = Projection.Compile();

    internal static CustomerResponse Of(Customer customer) => s_toResponse(customer);
}

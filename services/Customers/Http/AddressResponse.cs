using System.ComponentModel.DataAnnotations;
using OrderInventory.Customers.Domain;

namespace OrderInventory.Customers.Http;

/// <summary>An address of a customer. Its version is the customer's.</summary>
/// <param name="Id">UUIDv7.</param>
/// <param name="Label">What the customer calls it, e.g. <c>home</c>, or null.</param>
/// <param name="Name">The recipient; null means the customer.</param>
/// <param name="Line1">Street and number.</param>
/// <param name="Line2">The second address line, or null.</param>
/// <param name="PostalCode">Null when there is none.</param>
/// <param name="City">Town or city.</param>
/// <param name="Region">State, province …, or null.</param>
/// <param name="Country">ISO 3166-1 alpha-2 code.</param>
/// <param name="Default">Whether it is used when no address is named; exactly one address is the default.</param>
public sealed record AddressResponse(
    Guid Id, [property: MaxLength(50)] string? Label, [property: MaxLength(200)] string? Name, [property: MaxLength(200)] string Line1, [property: MaxLength(200)] string? Line2, [property: MaxLength(20)] string? PostalCode, [property: MaxLength(100)] string City, [property: MaxLength(100)] string? Region, [property: MaxLength(2)] string Country, bool Default)
{
    internal static AddressResponse Of(Address address) => new(
        address.Id, address.Label, address.Name, address.Line1, address.Line2, address.PostalCode, address.City, address.Region, address.Country, address.Default);

    internal static IReadOnlyList<AddressResponse> Of(AddressBook book) => [.. book.Addresses.Select(Of)];
}

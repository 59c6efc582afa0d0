namespace OrderInventory.Customers.Domain;

/// <summary>The details of a place to which goods can be sent.</summary>
internal sealed record AddressDetails(
    string? Label, string? Name, string Line1, string? Line2, string? PostalCode, string City, string? Region, string Country);

/// <summary>An address in a customer's address book. Exactly one address is the default, unless the book is empty.</summary>
internal sealed record Address(
    Guid Id, string? Label, string? Name, string Line1, string? Line2, string? PostalCode, string City, string? Region, string Country, bool Default)
{
    public static Address Of(Guid id, AddressDetails details, bool isDefault) => new(
        id, details.Label, details.Name, details.Line1, details.Line2, details.PostalCode, details.City, details.Region, details.Country, isDefault);
}

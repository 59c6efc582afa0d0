namespace OrderInventory.Customers.Domain;

/// <summary>What a customer tells about a place where goods can be sent.</summary>
internal sealed record AddressDetails(
    string? Label, string? Name, string Line1, string? Line2, string? PostalCode, string City, string? Region, string Country);

/// <summary>An address in a customer's book. Exactly one is the default when there is any.</summary>
internal sealed record Address(
    Guid Id, string? Label, string? Name, string Line1, string? Line2, string? PostalCode, string City, string? Region, string Country, bool Default)
{
    public static Address Of(Guid id, AddressDetails details, bool isDefault) => new(
        id, details.Label, details.Name, details.Line1, details.Line2, details.PostalCode, details.City, details.Region, details.Country, isDefault);
}

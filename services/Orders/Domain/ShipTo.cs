using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Domain;

/// <summary>
/// A delivery address, copied into the order at placement. The order in which its members are written is part of the fingerprints of earlier
/// requests and must not change.
/// </summary>
/// <param name="Name">Who receives it, 1 to 200 characters.</param>
/// <param name="Line1">Street and number, 1 to 200 characters.</param>
/// <param name="City">1 to 100 characters.</param>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
/// <param name="PostalCode">1 to 20 characters; some countries have none.</param>
/// <param name="Line2">1 to 200 characters.</param>
/// <param name="Region">1 to 100 characters.</param>
public sealed record ShipTo(
    [property: JsonPropertyOrder(1), MaxLength(200)] string Name,
    [property: JsonPropertyOrder(2), MaxLength(200)] string Line1,
    [property: JsonPropertyOrder(4), MaxLength(100)] string City,
    [property: JsonPropertyOrder(5), MaxLength(2)] string Country,
    [property: JsonPropertyOrder(3), MaxLength(20)] string? PostalCode = null,
    [property: JsonPropertyOrder(6), MaxLength(200)] string? Line2 = null,
    [property: JsonPropertyOrder(7), MaxLength(100)] string? Region = null)
{
    internal void Validate(RequestErrors errors, string path)
    {
        errors.RequireText(Name, 200, $"{path}.name");
        errors.RequireText(Line1, 200, $"{path}.line1");
        errors.AllowLine(Line2, 200, $"{path}.line2");
        errors.AllowLine(PostalCode, 20, $"{path}.postalCode");
        errors.RequireText(City, 100, $"{path}.city");
        errors.AllowLine(Region, 100, $"{path}.region");
        errors.RequireCountry(Country, $"{path}.country");
    }
}

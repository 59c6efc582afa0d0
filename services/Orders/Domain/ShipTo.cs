using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Domain;

/// <summary>An address, copied into the order at placement.</summary>
/// <param name="Name">Who receives it, 1 to 200 characters.</param>
/// <param name="Line1">Street and number, 1 to 200 characters.</param>
/// <param name="PostalCode">At most 20 characters.</param>
/// <param name="City">1 to 100 characters.</param>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
/// <param name="Line2">At most 200 characters.</param>
/// <param name="Region">At most 100 characters.</param>
public sealed record ShipTo(string Name, string Line1, string PostalCode, string City, string Country, string? Line2 = null, string? Region = null)
{
    internal void Validate(RequestErrors errors, string path)
    {
        errors.RequireText(Name, 200, $"{path}.name");
        errors.RequireText(Line1, 200, $"{path}.line1");
        errors.AllowText(Line2, 200, $"{path}.line2");
        errors.AllowText(PostalCode, 20, $"{path}.postalCode");
        errors.RequireText(City, 100, $"{path}.city");
        errors.AllowText(Region, 100, $"{path}.region");
        errors.Require(Country is { Length: 2 } && Country.All(char.IsAsciiLetterUpper), $"{path}.country", "Two capital letters (ISO 3166-1) are required.");
    }
}

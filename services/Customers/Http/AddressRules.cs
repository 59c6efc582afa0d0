using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Customers.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers.Http;

/// <summary>The rules for an address, shared by all requests.</summary>
internal static class AddressRules
{
    public static ProblemHttpResult? Check(AddressDetails details)
    {
        var errors = new RequestErrors();
        errors.AllowLine(details.Label, 50, "$.label");
        errors.AllowLine(details.Name, 200, "$.name");
        errors.RequireText(details.Line1, 200, "$.line1");
        errors.AllowLine(details.Line2, 200, "$.line2");
        errors.AllowLine(details.PostalCode, 20, "$.postalCode");
        errors.RequireText(details.City, 100, "$.city");
        errors.AllowLine(details.Region, 100, "$.region");
        errors.RequireCountry(details.Country, "$.country");
        return errors.Any ? errors.Malformed() : null;
    }

    public static ProblemHttpResult TooMany() => Problems.Conflict(
        "too-many-addresses", "The customer has too many addresses.",
        $"At most {AddressBook.MaxAddresses} addresses are allowed. Delete one first, or change one.");
}

using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Customers.Domain;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Customers.Http;

/// <summary>The rules for customer details, shared by all requests.</summary>
internal static partial class CustomerRules
{
    public static ProblemHttpResult? Check(CustomerDetails details)
    {
        var errors = new RequestErrors();
        errors.RequireText(details.Name, 200, "$.name");
        errors.Require(EmailAddress.IsValid(details.Email), "$.email", "An e-mail address like maria@example.com is required.");
        if (details.Phone is not null)
        {
            errors.RequireText(details.Phone, 40, "$.phone");
        }

        // An SMS gateway accepts only E.164, and a number without a country code is ambiguous.
        errors.Require(
            !details.Channels.Sms || (details.Phone is not null && E164().IsMatch(details.Phone)),
            "$.phone", "The sms channel requires a number in E.164 format, like +49300074321.");
        errors.Require(details.Language.Length <= 35 && LanguageTag().IsMatch(details.Language), "$.language", "A language tag like en or pt-BR is required.");
        return errors.Any ? errors.Malformed() : null;
    }

    /// <summary>Does not repeat the address, because clients log responses.</summary>
    public static ProblemHttpResult EmailTaken() =>
        Problems.Conflict("email-taken", "The e-mail address is taken.", "Another customer has this e-mail address.");

    /// <summary>A plus sign, the country code, and up to 15 digits in all, without spaces (ITU-T E.164).</summary>
    [GeneratedRegex(@"^\+[1-9][0-9]{1,14}\z", RegexOptions.CultureInvariant)]
    private static partial Regex E164();

    /// <summary>The syntax of RFC 5646; subtags are not looked up in its registry.</summary>
    [GeneratedRegex(@"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\z", RegexOptions.CultureInvariant)]
    private static partial Regex LanguageTag();
}

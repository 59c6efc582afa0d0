using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Customers.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers.Features;

/// <summary>What customer details may be, whichever request brings them.</summary>
internal static partial class CustomerRules
{
    public static ProblemHttpResult? Check(CustomerDetails details)
    {
        var errors = new RequestErrors();
        errors.RequireText(details.Name, 200, "$.name");
        // A line break in a name or address would be one in the header of a mail.
        errors.Require(!details.Name.Any(char.IsControl), "$.name", "No control characters are allowed.");
        // 254 is the longest address that SMTP can carry (RFC 5321, section 4.5.3.1.3).
        errors.Require(details.Email.Length <= 254 && Email().IsMatch(details.Email), "$.email", "An e-mail address is required.");
        if (details.Phone is not null)
        {
            errors.RequireText(details.Phone, 40, "$.phone");
            errors.Require(!details.Phone.Any(char.IsControl), "$.phone", "No control characters are allowed.");
        }

        // An SMS gateway takes nothing else, and a number without its country is one in any country.
        errors.Require(
            !details.Channels.Sms || (details.Phone is not null && E164().IsMatch(details.Phone)),
            "$.phone", "With sms on, a number in E.164 form like +49300074321 is required.");
        errors.Require(details.Language.Length <= 35 && LanguageTag().IsMatch(details.Language), "$.language", "A language tag like en or pt-BR is required.");
        return errors.Any ? errors.Malformed() : null;
    }

    /// <summary>Does not repeat the address: answers are logged by clients.</summary>
    public static ProblemHttpResult EmailTaken() =>
        Problems.Conflict("email-taken", "The e-mail address is taken.", "Another customer has this e-mail address.");

    /// <summary>Something, an @, something. Whether an address exists, only a mail to it can tell.</summary>
    [GeneratedRegex(@"^[^@\s\p{Cc}<>,;""]+@[^@\s\p{Cc}<>,;""]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Email();

    /// <summary>A plus, the country's code, and up to 15 digits in all, without blanks (ITU-T E.164).</summary>
    [GeneratedRegex(@"^\+[1-9][0-9]{1,14}\z", RegexOptions.CultureInvariant)]
    private static partial Regex E164();

    /// <summary>The form of RFC 5646 without its registry.</summary>
    [GeneratedRegex(@"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\z", RegexOptions.CultureInvariant)]
    private static partial Regex LanguageTag();
}

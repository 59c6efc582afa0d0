using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Customers.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers.Features;

/// <summary>What an address may be, whichever request brings it.</summary>
internal static class AddressRules
{
    /// <summary>The officially assigned codes of ISO 3166-1 alpha-2.</summary>
    private static readonly HashSet<string> s_countries = [.. (
        "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN " +
        "CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM " +
        "HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK " +
        "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW " +
        "SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI " +
        "VN VU WF WS YE YT ZA ZM ZW").Split(' ')];

    public static ProblemHttpResult? Check(AddressDetails details)
    {
        var errors = new RequestErrors();
        Text(errors, details.Label, 50, "$.label");
        Text(errors, details.Name, 200, "$.name");
        Text(errors, details.Line1, 200, "$.line1", required: true);
        Text(errors, details.Line2, 200, "$.line2");
        Text(errors, details.PostalCode, 20, "$.postalCode");
        Text(errors, details.City, 100, "$.city", required: true);
        Text(errors, details.Region, 100, "$.region");
        errors.Require(s_countries.Contains(details.Country), "$.country", "An ISO 3166-1 alpha-2 code like DE is required.");
        return errors.Any ? errors.Malformed() : null;
    }

    public static ProblemHttpResult TooMany() => Problems.Conflict(
        "too-many-addresses", "The customer has too many addresses.", $"At most {AddressBook.MaxAddresses} are kept. Delete one first, or change one.");

    private static void Text(RequestErrors errors, string? text, int maxLength, string path, bool required = false)
    {
        if (required || text is not null)
        {
            errors.RequireText(text, maxLength, path);
            // A line break would be one on a label or in the header of a mail.
            errors.Require(text?.Any(char.IsControl) != true, path, "No control characters are allowed.");
        }
    }
}

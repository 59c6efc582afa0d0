using System.Globalization;
using System.Text.RegularExpressions;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Notifications.Http;

/// <summary>Validates a member of staff, for every request that writes one.</summary>
internal static partial class StaffRules
{
    public static RequestErrors Check(StaffDetails details)
    {
        var errors = new RequestErrors();
        errors.RequireText(details.Name, 200, "$.name");
        errors.Require(details.Email is null || EmailAddress.IsValid(details.Email), "$.email", "An e-mail address like maria@example.com is required.");
        errors.Require(details.Phone is null || Phone().IsMatch(details.Phone), "$.phone", "A phone number of at most 40 characters is required.");
        errors.Require(!details.Channels.Email || details.Email is not null, "$.email", "It is required for the channel email.");
        errors.Require(!details.Channels.Sms || details.Phone is not null, "$.phone", "It is required for the channel sms.");
        errors.Require(IsLanguage(details.Language), "$.language", "A language tag like en or pt-BR is required.");
        errors.Require(details.Events.Count <= 20, "$.events", "At most 20 are allowed.");
        for (var i = 0; i < Math.Min(details.Events.Count, 20); i++)
        {
            errors.Require(
                Templates.ForStaff.Contains(details.Events[i]),
                string.Create(CultureInfo.InvariantCulture, $"$.events[{i}]"),
                $"One of {string.Join(", ", Templates.ForStaff)} is required.");
        }

        return errors;
    }

    public static bool IsLanguage(string language) => language.Length <= 35 && LanguageTag().IsMatch(language);

    [GeneratedRegex(@"^(?=(?:[^0-9]*[0-9]){3})[0-9+\-/(). ]{1,40}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Phone();

    /// <summary>The syntax of RFC 5646, without its registry.</summary>
    [GeneratedRegex(@"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\z", RegexOptions.CultureInvariant)]
    private static partial Regex LanguageTag();
}

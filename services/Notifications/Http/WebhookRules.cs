using System.Globalization;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Http;

/// <summary>Validates a webhook, for every request that writes one. Makes no call and no DNS lookup.</summary>
internal static class WebhookRules
{
    public const int MaxUrlLength = 2048;

    public static RequestErrors Check(WebhookDetails details, bool allowPrivateTargets)
    {
        var errors = new RequestErrors();
        if (details.Url.Length > MaxUrlLength || !Uri.TryCreate(details.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            errors.Add("$.url", string.Create(CultureInfo.InvariantCulture, $"An http or https address of at most {MaxUrlLength} characters is required."));
        }
        else
        {
            errors.Require(url.UserInfo.Length == 0 && url.Fragment.Length == 0, "$.url", "No user, password or fragment is allowed.");
            errors.Require(url.Host.Length > 0, "$.url", "A host is required.");
            errors.Require(allowPrivateTargets || !PublicAddresses.IsKnownPrivate(url), "$.url", "Private addresses are not permitted.");
        }

        if (details.EventTypes is { } types)
        {
            errors.Require(types.Count is > 0 and <= 20, "$.eventTypes", "1 to 20 types are required; omit the member for all types.");
            for (var i = 0; i < Math.Min(types.Count, 20); i++)
            {
                errors.Require(
                    WebhookRecorder.EventTypes.Contains(types[i]),
                    string.Create(CultureInfo.InvariantCulture, $"$.eventTypes[{i}]"),
                    $"One of {string.Join(", ", WebhookRecorder.EventTypes)} is required.");
            }
        }

        return errors;
    }
}

using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Products.Domain;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Products.Http;

/// <summary>What product details may be, whichever request brings them.</summary>
internal static class ProductRules
{
    /// <summary>500 lines of a million units each still sum up exactly within a decimal.</summary>
    public const decimal MaxPrice = 1_000_000_000_000m;

    public const int MaxAttributes = 50;
    public const int MaxAttributeName = 64;
    public const int MaxAttributeValue = 256;

    public static ProblemHttpResult? Check(ProductDetails details)
    {
        var errors = new RequestErrors();
        Check(details, errors);
        return errors.Any ? errors.Malformed() : null;
    }

    /// <summary>Notes all that is wrong.</summary>
    public static void Check(ProductDetails details, RequestErrors errors)
    {
        errors.RequireKey(details.Sku, 64, "$.sku");
        errors.RequireText(details.Name, 200, "$.name");
        errors.AllowText(details.Description, 4000, "$.description", multiline: true);
        if (details.Category is not null)
        {
            errors.RequireKey(details.Category, 100, "$.category");
        }

        errors.Require(details.Price.Amount is >= 0 and <= MaxPrice, "$.price.amount", $"0 to {MaxPrice} is allowed.");
        errors.RequireMoney(details.Price.Amount, details.Price.Currency, "$.price");
        CheckAttributes(details.Attributes.Values, errors);
    }

    public static ProblemHttpResult SkuTaken(string sku) =>
        Problems.Conflict("sku-taken", "The SKU is taken.", $"Another product has or had the SKU {sku}.");

    /// <summary>422: <c>variantOf</c> names what cannot have variants.</summary>
    public static ProblemHttpResult InvalidVariant(string message)
    {
        var errors = new RequestErrors();
        errors.Add("$.variantOf", message);
        return errors.Unprocessable("invalid-variant", "The product cannot be a variant of that one.");
    }

    private static void CheckAttributes(IReadOnlyDictionary<string, string> attributes, RequestErrors errors)
    {
        errors.Require(
            attributes.Count <= MaxAttributes, "$.attributes", string.Create(CultureInfo.InvariantCulture, $"At most {MaxAttributes} are allowed."));
        // The message for too many stands for all of them: an answer must not become larger than its request.
        foreach (var (name, value) in attributes.Take(MaxAttributes))
        {
            var path = IsPlain(name) ? $"$.attributes.{name}" : $"$.attributes['{name}']";
            errors.RequireKey(name, MaxAttributeName, path);
            // The readers of JSON know that a text must not be null, but not that of a map's values.
            errors.Require(value is not null, path, "It must not be null.");
            errors.AllowText(value, MaxAttributeValue, path);
        }
    }

    private static bool IsPlain(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}

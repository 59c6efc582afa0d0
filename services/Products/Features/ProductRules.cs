using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Products.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Features;

/// <summary>What product details may be, whichever request brings them.</summary>
internal static class ProductRules
{
    /// <summary>500 lines of a million units each still sum up exactly within a decimal.</summary>
    public const decimal MaxPrice = 1_000_000_000_000m;

    /// <summary>No currency in use has more decimal places.</summary>
    public const int MaxScale = 4;

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
        errors.RequireText(details.Sku, 64, "$.sku");
        errors.Require(details.Sku.Trim() == details.Sku && !details.Sku.Any(char.IsControl), "$.sku", "No blanks around it and no control characters are allowed.");
        errors.RequireText(details.Name, 200, "$.name");
        errors.AllowText(details.Description, 4000, "$.description");
        if (details.Category is not null)
        {
            errors.RequireText(details.Category, 100, "$.category");
        }

        errors.Require(details.Price.Amount is >= 0 and <= MaxPrice, "$.price.amount", $"0 to {MaxPrice} is allowed.");
        errors.Require(details.Price.Amount.Scale <= MaxScale, "$.price.amount", $"At most {MaxScale} decimal places are allowed.");
        errors.Require(
            details.Price.Currency is { Length: 3 } currency && currency.All(char.IsAsciiLetterUpper),
            "$.price.currency", "An ISO 4217 code like EUR is required.");
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
            errors.RequireText(name, MaxAttributeName, path);
            errors.Require(!name.Any(char.IsControl) && value?.Any(char.IsControl) != true, path, "No control characters are allowed.");
            // The readers of JSON know that a text must not be null, but not that of a map's values.
            errors.Require(value is not null, path, "It must not be null.");
            errors.AllowText(value, MaxAttributeValue, path);
        }
    }

    private static bool IsPlain(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}

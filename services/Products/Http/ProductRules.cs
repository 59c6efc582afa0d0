using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Products.Domain;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Products.Http;

/// <summary>The rules for product details, whichever request contains them.</summary>
internal static class ProductRules
{
    /// <summary>At this price, 500 lines of a million units each still have an exact sum in a decimal.</summary>
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

    /// <summary>Adds everything that is wrong to the errors.</summary>
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
        Problems.Conflict("sku-taken", "The SKU is taken.", $"Another product has the SKU {sku}, or had it when it was deleted.");

    /// <summary>422: the product cannot be a variant of the product in <c>variantOf</c>.</summary>
    public static ProblemHttpResult InvalidVariant(string message)
    {
        var errors = new RequestErrors();
        errors.Add("$.variantOf", message);
        return errors.Unprocessable("invalid-variant", "The product cannot be a variant of the given product.");
    }

    private static void CheckAttributes(IReadOnlyDictionary<string, string> attributes, RequestErrors errors)
    {
        errors.Require(
            attributes.Count <= MaxAttributes, "$.attributes", string.Create(CultureInfo.InvariantCulture, $"At most {MaxAttributes} are allowed."));
        // Attributes beyond the limit get no messages of their own: an answer must not become larger than its request.
        foreach (var (name, value) in attributes.Take(MaxAttributes))
        {
            var path = IsPlain(name) ? $"$.attributes.{name}" : $"$.attributes['{name}']";
            errors.RequireKey(name, MaxAttributeName, path);
            // The JSON readers reject null for a non-nullable string, but not for the values of a dictionary.
            errors.Require(value is not null, path, "It must not be null.");
            errors.AllowText(value, MaxAttributeValue, path);
        }
    }

    private static bool IsPlain(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}

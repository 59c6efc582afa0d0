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

    public static ProblemHttpResult? Check(ProductDetails details)
    {
        var errors = new RequestErrors();
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
        return errors.Any ? errors.Malformed() : null;
    }

    public static ProblemHttpResult SkuTaken(string sku) =>
        Problems.Conflict("sku-taken", "The SKU is taken.", $"Another product has or had the SKU {sku}.");
}

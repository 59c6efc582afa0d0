using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Http;

/// <summary>The reasons for which a request about stock is refused.</summary>
internal static class StockProblems
{
    public static void CheckUnits(RequestErrors errors, long? units, string path) =>
        errors.Require(units is null or (>= 0 and <= StockLimits.MaxUnits), path, $"0 to {StockLimits.MaxUnits} is allowed.");

    public static void CheckDelta(RequestErrors errors, long? delta, string path) => errors.Require(
        delta is not 0 and (null or (>= -StockLimits.MaxUnits and <= StockLimits.MaxUnits)), path, $"-{StockLimits.MaxUnits} to {StockLimits.MaxUnits}, but not 0, is allowed.");

    public static ProblemHttpResult Of(OnHandRefusal refusal, string path) => refusal.TooMany
        ? Problems.MalformedRequest(path, TooMany)
        : Problems.Conflict(
            "stock-below-reserved", "Fewer units would be left than are reserved.", "Nothing was changed; see onHand and reserved.",
            ("onHand", refusal.OnHand), ("reserved", refusal.Reserved), ("location", refusal.Location));

    public static string TooMany => $"The location would have more than {StockLimits.MaxUnits} units.";

    /// <summary>422 for an unknown location; otherwise null.</summary>
    public static ProblemHttpResult? CheckLocation(Stock stock, string location, string path = "$.location") => stock.Locations.ContainsKey(location)
        ? null
        : Problems.Unprocessable("unknown-location", "The location does not exist.", new Dictionary<string, string[]> { [path] = ["No location has this code."] });

    /// <summary>
    /// 422 when products were deleted, with their paths in the request; otherwise null. Their existing units can still be removed.
    /// </summary>
    public static ProblemHttpResult? CheckDeleted(Stock stock, IEnumerable<(Guid ProductId, string Path)> products)
    {
        var errors = products.Where(product => stock.DeletedProducts.Contains(product.ProductId))
            .ToDictionary(product => product.Path, _ => new[] { "The product was deleted from the catalogue." });
        return errors.Count == 0 ? null : Problems.Unprocessable("unknown-product", "The product was deleted.", errors);
    }

    /// <summary>Checks the lines of a request, which may be null or contain nulls, because a JSON reader accepts them.</summary>
    public static void CheckLines<T>(RequestErrors errors, IReadOnlyList<T?>? lines, Func<T, long> quantity)
        where T : class
    {
        errors.Require(lines is { Count: >= 1 and <= StockLimits.MaxLines }, "$.lines", $"1 to {StockLimits.MaxLines} lines are required.");
        for (var i = 0; i < lines?.Count && i < StockLimits.MaxLines; i++)
        {
            if (lines[i] is not { } line)
            {
                errors.Add($"$.lines[{i}]", "A line is required.");
            }
            else if (quantity(line) is < 1 or > StockLimits.MaxUnits)
            {
                errors.Add($"$.lines[{i}].quantity", $"1 to {StockLimits.MaxUnits} is required.");
            }
        }
    }
}

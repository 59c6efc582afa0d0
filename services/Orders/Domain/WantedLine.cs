using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Domain;

/// <summary>A requested line; two lines of one product stay two.</summary>
/// <param name="ProductId">The product.</param>
/// <param name="Quantity">Whole units, at least 1.</param>
internal sealed record WantedLine(Guid ProductId, int Quantity)
{
    private const int MaxLines = 500;
    private const int MaxQuantity = 1_000_000;

    /// <summary>Adds the errors in a request's <c>lines</c>.</summary>
    public static void Validate(IReadOnlyList<WantedLine> lines, RequestErrors errors)
    {
        errors.Require(lines.Count is >= 1 and <= MaxLines, "$.lines", $"1 to {MaxLines} lines are required.");
        foreach (var (place, _) in lines.Take(MaxLines).Index().Where(line => line.Item is null or { Quantity: < 1 or > MaxQuantity }))
        {
            errors.Add($"$.lines[{place}].quantity", $"1 to {MaxQuantity} is allowed.");
        }
    }
}

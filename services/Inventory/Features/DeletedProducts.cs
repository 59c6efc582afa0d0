using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>Products that are gone from the catalogue get no new stock and no holds; what there is of them can be taken out.</summary>
internal static class DeletedProducts
{
    /// <summary>Which of the products were deleted. Ask after their stock is locked: who deletes one locks it too.</summary>
    public static async Task<HashSet<Guid>> FindAsync(NpgsqlConnection connection, Guid[] products, CancellationToken cancellationToken)
    {
        await using var find = new NpgsqlCommand("SELECT product_id FROM product_copies WHERE product_id = ANY($1) AND status = 'deleted'", connection)
        {
            Parameters = { new() { Value = products } },
        };
        var deleted = new HashSet<Guid>();
        await using var reader = await find.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            deleted.Add(reader.GetGuid(0));
        }

        return deleted;
    }

    /// <summary>422, naming where in the request they are.</summary>
    public static ProblemHttpResult Refuse(IEnumerable<string> paths) => Problems.Unprocessable(
        "unknown-product", "The product was deleted.", paths.ToDictionary(path => path, _ => new[] { "The product is gone from the catalogue." }));

    /// <summary>422 when lines name deleted products, or null.</summary>
    public static async Task<ProblemHttpResult?> RefuseAsync(NpgsqlConnection connection, IReadOnlyList<HoldLine> lines, CancellationToken cancellationToken)
    {
        var deleted = await FindAsync(connection, [.. lines.Select(line => line.ProductId).Distinct()], cancellationToken);
        return deleted.Count == 0 ? null : Refuse(Enumerable.Range(0, lines.Count).Where(i => deleted.Contains(lines[i].ProductId)).Select(i => $"$.lines[{i}].productId"));
    }
}

using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.BulkFiles;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>Sets the stock of many products from a file: an opening balance, a count of everything.</summary>
internal static class ImportStock
{
    /// <param name="ProductId">The product.</param>
    /// <param name="OnHand">Units on hand.</param>
    /// <param name="Location">The location's code; <c>default</c> when left out.</param>
    /// <param name="LowStockThreshold">The product's threshold; unchanged when left out.</param>
    public sealed record Row(Guid ProductId, long OnHand, string Location = StockItem.DefaultLocation, long? LowStockThreshold = null) : IImportRow<Row>
    {
        public static IReadOnlyList<string> Columns { get; } = ["productId", "location", "onHand", "lowStockThreshold"];

        string IImportRow<Row>.Key => ProductId.ToString();

        static void IImportRow<Row>.CheckHeader(IReadOnlyCollection<string> header, RequestErrors errors)
        {
            errors.Require(header.Contains("productId"), "$.productId", "The column is required.");
            errors.Require(header.Contains("onHand"), "$.onHand", "The column is required.");
        }

        static Row IImportRow<Row>.Parse(IReadOnlyDictionary<string, string> cells, RequestErrors errors)
        {
            errors.Require(Uuids.TryParse(cells["productId"].Trim(), out var productId), "$.productId", "A product id is required.");
            return new(
                productId,
                ReadUnits("onHand"),
                Read("location") is { Length: > 0 } location ? location : StockItem.DefaultLocation,
                Read("lowStockThreshold") is { Length: > 0 } ? ReadUnits("lowStockThreshold") : null);

            string? Read(string column) => cells.GetValueOrDefault(column)?.Trim();

            long ReadUnits(string column)
            {
                var isNumber = long.TryParse(Read(column), NumberStyles.None, CultureInfo.InvariantCulture, out var units);
                errors.Require(isNumber, $"$.{column}", "A whole number is required.");
                return units;
            }
        }
    }

    public enum Outcome
    {
        Changed,
        Unchanged,
    }

    /// <summary>Set stock from a file</summary>
    /// <remarks>
    /// Up to 100 MiB of <c>text/csv</c> with the columns productId, location, onHand, lowStockThreshold named in its first line, or
    /// <c>application/x-ndjson</c> with the same members; location and lowStockThreshold may be left out. Quantities are absolute and replace the
    /// current ones, with a ledger row for each change, so the same file can be sent again. The response has a line for each bad row (unreadable,
    /// unknown location, below what is reserved), which does not stop the good ones, a line every 300 rows with <c>processed</c>, <c>changed</c>,
    /// <c>unchanged</c> and <c>failed</c>, and a last line with <c>done</c>. Publishes <c>inventory.updated</c>. With <c>dryRun=true</c> nothing
    /// is changed, and the response says what would change.
    /// </remarks>
    public static async Task<Results<EmptyHttpResult, ProblemHttpResult>> HandleAsync(
        string? reference, bool? dryRun, HttpContext http, Caller caller, StockChange change, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        errors.AllowKey(reference, 200, "reference");
        return errors.Any ? errors.Malformed() : await BulkImport.RunAsync(http, new RowWriter(change, reference, dryRun ?? false, caller), cancellationToken);
    }

    private sealed class RowWriter(StockChange change, string? reference, bool dryRun, Caller caller) : IRowWriter<Row, Outcome>
    {
        /// <summary>The levels that earlier batches of a dry run would have left, by product: later rows may be about the same products.</summary>
        private readonly Dictionary<Guid, Row[]> _dryRunLevels = [];

        public int BatchSize => 300;

        public int ProgressEvery => 1;

        public async Task<IReadOnlyList<RowResult<Outcome>>> WriteAsync(IReadOnlyList<Row> rows, CancellationToken cancellationToken)
        {
            var products = rows.Select(row => row.ProductId).Distinct().ToArray();
            var result = await change.RunAsync<IReadOnlyList<RowResult<Outcome>>>(
                StockScope.ToChange(products) with { FindStatus = true },
                stock =>
                {
                    foreach (var level in products.SelectMany(product => _dryRunLevels.GetValueOrDefault(product, [])))
                    {
                        Set(level, stock);
                    }

                    var results = rows.Select(row => Set(row, stock)).ToList();
                    if (!dryRun)
                    {
                        return results;
                    }

                    foreach (var product in stock.Changed)
                    {
                        _dryRunLevels[product.ProductId] =
                            [.. product.Items.Select(item => new Row(item.ProductId, item.OnHand, item.Location, item.LowStockThreshold))];
                    }

                    return Change<IReadOnlyList<RowResult<Outcome>>>.Unwritten(results);
                },
                caller,
                cancellationToken);
            return result.Answer!;
        }

        private RowResult<Outcome> Set(Row row, Stock stock)
        {
            if (stock.DeletedProducts.Contains(row.ProductId))
            {
                return new("$.productId", "The product was deleted.");
            }

            var errors = new RequestErrors();
            StockProblems.CheckUnits(errors, row.OnHand, "$.onHand");
            StockProblems.CheckUnits(errors, row.LowStockThreshold, "$.lowStockThreshold");
            errors.Require(stock.Locations.ContainsKey(row.Location), "$.location", "No location has this code.");
            if (errors.Any)
            {
                return new(errors.All);
            }

            var item = stock.Product(row.ProductId) is { IsNew: false } existing ? existing.At(row.Location) : null;
            if (item?.OnHand == row.OnHand && (row.LowStockThreshold ?? item.LowStockThreshold) == item.LowStockThreshold)
            {
                return new(Outcome.Unchanged);
            }

            if (stock.SetOnHand(row.ProductId, row.Location, row.OnHand, MovementKind.Set, new(Reason: "import", Reference: reference)) is { } refusal)
            {
                return new(
                    "$.onHand", refusal.TooMany ? StockProblems.TooMany : $"It must not be less than the units reserved at this location: {refusal.Reserved}.");
            }

            var product = stock.Product(row.ProductId)!;
            product.SetLowStockThreshold(row.LowStockThreshold ?? product.LowStockThreshold);
            return new(Outcome.Changed);
        }
    }
}

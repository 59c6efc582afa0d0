using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.ServiceDefaults.BulkFiles;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>Stock as a file, in the form that <see cref="ImportStock"/> takes.</summary>
internal static class ExportStock
{
    private const int FlushAt = 32 * 1024;

    /// <summary>Export stock</summary>
    /// <remarks>
    /// <c>format=csv</c> or <c>ndjson</c>, or <c>Accept</c>, selects the format; the default is CSV. Columns productId, location, onHand,
    /// lowStockThreshold, ordered by product and location, for the products that the list shows with the same filters. It is streamed from a
    /// consistent snapshot. Deleted products are left out.
    /// </remarks>
    /// <param name="format">csv or ndjson, whatever <c>Accept</c> says.</param>
    /// <param name="q">As in the list.</param>
    /// <param name="location">As in the list; only rows of this location are exported.</param>
    /// <param name="lowStock">As in the list.</param>
    /// <param name="outOfStock">As in the list.</param>
    /// <param name="reserved">As in the list.</param>
    /// <param name="http">The request.</param>
    /// <param name="database">The database.</param>
    /// <param name="cancellationToken">Cancelled when the request ends.</param>
    public static Results<PushStreamHttpResult, ProblemHttpResult> Handle(
        string? format, string? q, string? location, bool? lowStock, bool? outOfStock, bool? reserved,
        HttpContext http, InventoryDb database, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        StockFilter.CheckText(errors, q);
        errors.Require(format is null or "csv" or "ndjson", "format", "csv or ndjson is required.");
        if (errors.Any)
        {
            return errors.Malformed();
        }

        var type = format switch
        {
            "csv" => MediaTypes.Csv,
            "ndjson" => MediaTypes.Ndjson,
            _ => ExportForms.Choose(http.Request, MediaTypes.Csv, MediaTypes.Ndjson),
        };
        if (type is null)
        {
            return ExportForms.NotAcceptable();
        }

        var products = new StockFilter(q, location, lowStock, outOfStock, reserved, null, []).Apply(database);
        var rows = database.StockLevels.AsNoTracking()
            .Where(l => products.Contains(l.ProductId) && !database.ProductCopies.Any(p => p.ProductId == l.ProductId && p.Status == "deleted"));
        rows = location is null ? rows : rows.Where(l => l.Location == location);
        var ordered = rows.OrderBy(l => l.ProductId).ThenBy(l => l.Location);
        var csv = type == MediaTypes.Csv;
        return TypedResults.Stream(body => WriteAsync(http, ordered, body, csv, cancellationToken), type, csv ? "stock.csv" : "stock.ndjson");
    }

    private static async Task WriteAsync(HttpContext http, IQueryable<StockLevelRow> rows, Stream body, bool csv, CancellationToken cancellationToken)
    {
        if (HttpMethods.IsHead(http.Request.Method))
        {
            // A HEAD response has no rows.
            return;
        }

        var buffer = new ArrayBufferWriter<byte>(FlushAt * 2);
        if (csv)
        {
            Encoding.UTF8.GetBytes(string.Join(',', ImportStock.Row.Columns) + "\n", buffer);
        }

        await foreach (var row in rows.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            var (product, location, onHand, threshold) = (row.ProductId, row.Location, row.OnHand, row.LowStockThreshold);
            if (csv)
            {
                // A location's code needs no quotes.
                Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{product},{location},{onHand},{threshold}\n"), buffer);
            }
            else
            {
                Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new(product, onHand, location, threshold), InventoryJson.Default.ImportStockRow), buffer);
                buffer.Write("\n"u8);
            }

            if (buffer.WrittenCount >= FlushAt)
            {
                await body.WriteAsync(buffer.WrittenMemory, cancellationToken);
                buffer.ResetWrittenCount();
            }
        }

        await body.WriteAsync(buffer.WrittenMemory, cancellationToken);
    }
}

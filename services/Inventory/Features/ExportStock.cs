using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using OrderInventory.Inventory.Data;
using OrderInventory.ServiceDefaults.BulkFiles;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>All stock as a file, in the form that <see cref="ImportStock"/> takes.</summary>
internal static class ExportStock
{
    private const int FlushAt = 32 * 1024;

    /// <summary>Export all stock</summary>
    /// <remarks>
    /// <c>format=csv</c> (the default) or <c>ndjson</c>; columns productId, location, onHand, lowStockThreshold, in the order of products and
    /// locations. It is streamed, from one moment's state. Products that were deleted are left out.
    /// </remarks>
    public static Results<PushStreamHttpResult, ProblemHttpResult> Handle(
        string? format, HttpContext http, NpgsqlDataSource database, CancellationToken cancellationToken) =>
        (format ?? "csv") switch
        {
            "csv" => TypedResults.Stream(body => WriteAsync(http, database, body, csv: true, cancellationToken), MediaTypes.Csv, "stock.csv"),
            "ndjson" => TypedResults.Stream(body => WriteAsync(http, database, body, csv: false, cancellationToken), MediaTypes.Ndjson, "stock.ndjson"),
            _ => Problems.MalformedRequest("format", "csv or ndjson is possible."),
        };

    private static async Task WriteAsync(HttpContext http, NpgsqlDataSource database, Stream body, bool csv, CancellationToken cancellationToken)
    {
        if (HttpMethods.IsHead(http.Request.Method))
        {
            // Nobody would read the rows.
            return;
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            """
            SELECT product_id, location, on_hand, low_stock_threshold FROM stock_levels l
            WHERE NOT removed AND NOT EXISTS (SELECT FROM product_copies p WHERE p.product_id = l.product_id AND p.status = 'deleted')
            ORDER BY product_id, location
            """, connection);
        await using var reader = await command.ExecuteReaderAsync(System.Data.CommandBehavior.SequentialAccess, cancellationToken);
        var buffer = new ArrayBufferWriter<byte>(FlushAt * 2);
        if (csv)
        {
            Encoding.UTF8.GetBytes(string.Join(',', ImportStock.Row.Columns) + "\n", buffer);
        }

        while (await reader.ReadAsync(cancellationToken))
        {
            var (product, location, onHand, threshold) = (reader.GetGuid(0), reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3));
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

using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Products.Data;
using OrderInventory.Products.Domain;
using OrderInventory.Products.Exchange;
using OrderInventory.Products.Http;
using OrderInventory.ServiceDefaults.BulkFiles;

namespace OrderInventory.Products.Features;

internal static class ExportProducts
{
    /// <summary>Number of rows in memory at a time.</summary>
    private const int PageSize = 500;

    private static readonly CsvConfiguration s_csv =
        new(CultureInfo.InvariantCulture) { Delimiter = ",", NewLine = "\r\n", ShouldQuote = args => NeedsQuotes(args.Field) };

    /// <summary>Export products as CSV or newline-delimited JSON</summary>
    /// <remarks>
    /// The products that the list shows with the same filters, in the format that the import accepts: importing an export changes nothing.
    /// <c>Accept</c> selects the format; the default is newline-delimited JSON. Variants come after all other products.
    /// </remarks>
    /// <param name="q">Words to find, as in the list.</param>
    /// <param name="category">Exactly this category.</param>
    /// <param name="sku">Exactly this SKU.</param>
    /// <param name="status"><c>active</c> or <c>discontinued</c>.</param>
    /// <param name="minPrice">Lowest amount of the price, whatever its currency.</param>
    /// <param name="maxPrice">Highest amount of the price, whatever its currency.</param>
    /// <param name="currency">Exactly this currency.</param>
    /// <param name="variantOf">The variants of this product.</param>
    /// <param name="ids">Up to 100 ids, separated by commas.</param>
    public static async Task<Results<EmptyHttpResult, ProblemHttpResult>> HandleAsync(
        string? q, string? category, string? sku, string? status, decimal? minPrice, decimal? maxPrice, string? currency, Guid? variantOf,
        string? ids, HttpContext http, ProductsDb db, CancellationToken cancellationToken)
    {
        if (ExportForms.Choose(http.Request, MediaTypes.Ndjson, MediaTypes.Csv) is not { } contentType)
        {
            return ExportForms.NotAcceptable();
        }

        var products = db.Products.AsNoTracking();
        if (new ProductFilter(q, category, sku, status, minPrice, maxPrice, currency, variantOf, ids).Apply(http.Request.Query, ref products) is { } refused)
        {
            return refused;
        }

        var csv = contentType == MediaTypes.Csv;
        http.Response.ContentType = csv ? "text/csv; charset=utf-8; header=present" : contentType;
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"products.{(csv ? "csv" : "ndjson")}\"";
        if (HttpMethods.IsHead(http.Request.Method))
        {
            // A response to HEAD has no body.
            return TypedResults.Empty;
        }

        var header = csv;
        await foreach (var page in ReadAsync(db, products, cancellationToken))
        {
            // Nothing is sent before the database has answered, so that a failure until then still gets its own status code.
            if (csv)
            {
                WriteCsv(page, header, http.Response.BodyWriter);
            }
            else
            {
                WriteNdjson(page, http.Response.BodyWriter);
            }

            header = false;
            await http.Response.BodyWriter.FlushAsync(cancellationToken);
        }

        return TypedResults.Empty;
    }

    /// <summary>
    /// Reads page by page, each with its own query: a client that reads slowly holds neither a connection nor an old snapshot of the table. The
    /// first page may be empty.
    /// </summary>
    private static async IAsyncEnumerable<IReadOnlyList<ProductRow>> ReadAsync(
        ProductsDb db, IQueryable<Product> products, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var variants in new[] { false, true })
        {
            var after = Guid.Empty;
            while (true)
            {
                var rows = await products
                    .Where(p => (p.VariantOf != null) == variants && p.Id > after)
                    .OrderBy(p => p.Id)
                    .Take(PageSize)
                    .Select(p => new { Product = p, ParentSku = db.Products.Where(parent => parent.Id == p.VariantOf).Select(parent => parent.Sku).FirstOrDefault() })
                    .ToListAsync(cancellationToken);
                yield return rows.ConvertAll(row => ProductRow.Of(row.Product, row.ParentSku));
                if (rows.Count < PageSize)
                {
                    break;
                }

                after = rows[^1].Product.Id;
            }
        }
    }

    private static void WriteNdjson(IReadOnlyList<ProductRow> rows, PipeWriter body)
    {
        using var json = new Utf8JsonWriter(body);
        foreach (var row in rows)
        {
            JsonSerializer.Serialize(json, row, ProductsJson.Default.ProductRow);
            json.Flush();
            json.Reset();
            body.Write("\n"u8);
        }
    }

    private static void WriteCsv(IReadOnlyList<ProductRow> rows, bool header, PipeWriter body)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        using (var csv = new CsvWriter(text, s_csv))
        {
            if (header)
            {
                WriteRecord(csv, [.. ProductRow.Columns]);
            }

            foreach (var row in rows)
            {
                WriteRecord(csv,
                    CsvText.ToCell(row.Sku), CsvText.ToCell(row.Name), CsvText.ToCell(row.Description), CsvText.ToCell(row.Category),
                    row.Price.Amount.ToString(CultureInfo.InvariantCulture), row.Price.Currency,
                    JsonNamingPolicy.CamelCase.ConvertName(row.Status.ToString()), CsvText.ToCell(row.VariantOfSku),
                    row.Attributes!.Count == 0 ? "" : ProductsDb.ToJson(ProductAttributes.Of(row.Attributes)));
            }
        }

        Encoding.UTF8.GetBytes(text.ToString(), body);
    }

    private static void WriteRecord(CsvWriter csv, params ReadOnlySpan<string> cells)
    {
        foreach (var cell in cells)
        {
            csv.WriteField(cell);
        }

        csv.NextRecord();
    }

    /// <summary>With <c>NewLine</c> set, the writer would quote only that line ending, not a single CR or LF.</summary>
    private static bool NeedsQuotes(string? cell) =>
        !string.IsNullOrEmpty(cell) && (cell.AsSpan().ContainsAny("\",\r\n") || cell[0] == ' ' || cell[^1] == ' ');
}

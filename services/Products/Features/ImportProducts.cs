using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using OrderInventory.Products.Exchange;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Features;

internal static class ImportProducts
{
    /// <summary>A line that says how far it is comes after so many rows.</summary>
    public const int ProgressEvery = 1000;

    /// <summary>Import products from CSV or newline-delimited JSON</summary>
    /// <remarks>
    /// Up to 100 MiB. A row makes the product of its SKU or changes it; what the row leaves out stays, and a row that changes nothing makes
    /// no version, so the same file can be sent again. Columns and members: <c>sku</c>, <c>name</c>, <c>description</c>, <c>category</c>,
    /// <c>price</c> (in CSV with <c>currency</c>), <c>status</c>, <c>variantOfSku</c>, <c>attributes</c> (in CSV a JSON object). The answer
    /// has a line for each bad row, one every 1,000 rows with <c>processed</c>, <c>created</c>, <c>updated</c>, <c>unchanged</c> and
    /// <c>failed</c>, and a last one with <c>done</c>. Publishes <c>product.updated</c>.
    /// </remarks>
    public static async Task<Results<EmptyHttpResult, ProblemHttpResult>> HandleAsync(
        HttpContext http, ImportBatch batch, IOptions<JsonOptions> json, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)
            || (type.Charset.HasValue && !type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            || (!type.MediaType.Equals(CsvRows.ContentType, StringComparison.OrdinalIgnoreCase)
                && !type.MediaType.Equals(NdjsonRows.ContentType, StringComparison.OrdinalIgnoreCase)))
        {
            return Problems.Of("unsupported-media-type", "The body must be text/csv or application/x-ndjson in UTF-8.", StatusCodes.Status415UnsupportedMediaType);
        }

        var options = json.Value.SerializerOptions;
        if (!type.MediaType.Equals(CsvRows.ContentType, StringComparison.OrdinalIgnoreCase))
        {
            var rows = NdjsonRows.ReadAsync(http.Request.BodyReader, (JsonTypeInfo<ProductRow>)options.GetTypeInfo(typeof(ProductRow)), cancellationToken);
            return await RunAsync(http, batch, rows, cancellationToken);
        }

        using var csv = new CsvRows(http.Request.Body, (JsonTypeInfo<Dictionary<string, string>>)options.GetTypeInfo(typeof(Dictionary<string, string>)));
        return await csv.ReadHeaderAsync() is { } broken ? broken : await RunAsync(http, batch, csv.ReadAsync(cancellationToken), cancellationToken);
    }

    private static async Task<Results<EmptyHttpResult, ProblemHttpResult>> RunAsync(
        HttpContext http, ImportBatch batch, IAsyncEnumerable<ImportLine> lines, CancellationToken cancellationToken)
    {
        http.Response.ContentType = NdjsonRows.ContentType;
        // A client that reads nothing before it has sent everything is no slow reader.
        if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        var report = new ImportReport(http.Response);
        var sending = report.SendAsync(cancellationToken);
        try
        {
            await ImportAsync(batch, lines, report, cancellationToken);
            report.Complete(null);
        }
        catch (Exception exception) when (report.Processed > 0 && Describe(exception) is { } error)
        {
            // What was committed stays, and the status has been said: the last line tells.
            report.Complete(error);
        }
        finally
        {
            report.Abandon();
            await sending;
        }

        return TypedResults.Empty;
    }

    private static async Task ImportAsync(ImportBatch batch, IAsyncEnumerable<ImportLine> lines, ImportReport report, CancellationToken cancellationToken)
    {
        var rows = new List<ImportLine>(ImportBatch.Size);
        var skus = new HashSet<string>();
        await foreach (var line in lines)
        {
            if (line.Row is null)
            {
                report.Add(new(line, ImportOutcome.Failed, line.Errors));
            }
            else
            {
                // The later row of a SKU changes what the earlier one has made.
                if (!skus.Add(line.Row.Sku))
                {
                    await ApplyAsync();
                    skus.Add(line.Row.Sku);
                }

                rows.Add(line);
            }

            if (rows.Count == ImportBatch.Size)
            {
                await ApplyAsync();
            }
        }

        await ApplyAsync();

        async Task ApplyAsync()
        {
            if (rows.Count > 0)
            {
                var before = report.Processed / ProgressEvery;
                foreach (var result in await batch.ApplyAsync(rows, cancellationToken))
                {
                    report.Add(result);
                }

                if (report.Processed / ProgressEvery > before)
                {
                    report.WriteProgress();
                }
            }

            rows.Clear();
            skus.Clear();
        }
    }

    private static ImportError? Describe(Exception exception) => exception switch
    {
        RowTooLongException => new("/problems/malformed-request", StatusCodes.Status400BadRequest,
            $"A row has more than {CsvRows.MaxRow} characters; quotes may have been left open. Nothing behind it was read."),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => new("/problems/body-too-large", StatusCodes.Status413PayloadTooLarge,
            "The body is larger than what is read. The rows before that are imported; send the others in a file of their own."),
        BadHttpRequestException => new("/problems/malformed-request", StatusCodes.Status400BadRequest, "The body could not be read to its end."),
        _ when exception.IsTransientDatabaseFailure() => new(
            "/problems/dependency-unavailable", StatusCodes.Status503ServiceUnavailable, "The database does not answer. Send the file again later."),
        _ => null,
    };
}

using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>Reads a file of rows, CSV or NDJSON, stores them batch by batch, and answers with an <see cref="ImportReport{TOutcome}"/>.</summary>
public static partial class BulkImport
{
    /// <summary>Longest row, in bytes of NDJSON or characters of CSV: twice the largest product with every character escaped.</summary>
    internal const int MaxRow = 256 * 1024;

    /// <summary>Describes what <see cref="RunAsync"/> accepts and returns.</summary>
    public static RouteHandlerBuilder WithBulkImport(this RouteHandlerBuilder route) => route
        .WithMetadata(new RequestSizeLimitAttribute(ServiceDefaultsExtensions.MaxImportBodySize))
        .Accepts<string>(MediaTypes.Csv, MediaTypes.Ndjson)
        .Produces<string>(StatusCodes.Status200OK, MediaTypes.Ndjson)
        .WithProblems(503);

    public static async Task<Results<EmptyHttpResult, ProblemHttpResult>> RunAsync<TRow, TOutcome>(
        HttpContext http, IRowWriter<TRow, TOutcome> writer, CancellationToken cancellationToken)
        where TRow : class, IImportRow<TRow>
        where TOutcome : struct, Enum
    {
        // Without parameters: see BodyRules.
        var mediaType = http.Request.ContentType?.ToLowerInvariant();
        if (mediaType is MediaTypes.Csv or MediaTypes.Ndjson && await FileEncoding.SniffAsync(http.Request.BodyReader, cancellationToken) is { } other)
        {
            return Problems.MalformedRequest("$", $"The file is not UTF-8; it seems to be {other}. Save it as UTF-8 text and send it again.");
        }

        switch (mediaType)
        {
            case MediaTypes.Csv:
                using (var csv = new CsvRows<TRow>(http.Request.BodyReader.AsStream()))
                {
                    return await csv.ReadHeaderAsync() is { } broken
                        ? broken
                        : await RunAsync(http, writer, csv.ReadAsync(cancellationToken), cancellationToken);
                }

            case MediaTypes.Ndjson:
                var options = http.RequestServices.GetRequiredService<IOptions<Microsoft.AspNetCore.Http.Json.JsonOptions>>().Value.SerializerOptions;
                var json = (JsonTypeInfo<TRow>)options.GetTypeInfo(typeof(TRow));
                return await RunAsync(http, writer, NdjsonRows.ReadAsync(http.Request.BodyReader, json, cancellationToken), cancellationToken);

            default:
                return Problems.Of(
                    "unsupported-media-type", $"The body must be {MediaTypes.Csv} or {MediaTypes.Ndjson} in UTF-8.", StatusCodes.Status415UnsupportedMediaType);
        }
    }

    private static async Task<EmptyHttpResult> RunAsync<TRow, TOutcome>(
        HttpContext http, IRowWriter<TRow, TOutcome> writer, IAsyncEnumerable<ImportLine<TRow>> lines, CancellationToken cancellationToken)
        where TRow : class, IImportRow<TRow>
        where TOutcome : struct, Enum
    {
        http.Response.ContentType = MediaTypes.Ndjson;
        // A client that reads nothing until it has sent the whole body is not a slow reader.
        if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        var report = new ImportReport<TOutcome>(http.Response, TRow.Columns[0]);
        var sending = report.SendAsync(cancellationToken);
        try
        {
            await ImportAsync(writer, lines, report, cancellationToken);
            report.Complete(null);
        }
        catch (Exception exception) when (report.Processed > 0 && Describe(exception) is { } error)
        {
            // Committed rows stay, and the status has already been sent, so the last line reports the error.
            LogBrokenOff(http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(BulkImport)), report.Processed, error.Detail, exception);
            report.Complete(error);
        }
        finally
        {
            report.Abandon();
            await sending;
        }

        return TypedResults.Empty;
    }

    private static async Task ImportAsync<TRow, TOutcome>(
        IRowWriter<TRow, TOutcome> writer, IAsyncEnumerable<ImportLine<TRow>> lines, ImportReport<TOutcome> report, CancellationToken cancellationToken)
        where TRow : class
        where TOutcome : struct, Enum
    {
        var batch = new List<ImportLine<TRow>>(writer.BatchSize);
        try
        {
            await foreach (var line in lines)
            {
                if (line.Row is null)
                {
                    report.AddBad(line.Number, line.Key, line.Errors!);
                    continue;
                }

                batch.Add(line);
                if (batch.Count == writer.BatchSize)
                {
                    await WriteAsync();
                }
            }
        }
        catch (Exception exception) when (exception is BadHttpRequestException or InvalidDataException && batch.Count > 0 && !cancellationToken.IsCancellationRequested)
        {
            // The rows before the break are valid, so they are stored. After a client has disconnected they are not: it sends the whole file again.
            await WriteAsync();
            throw;
        }

        if (batch.Count > 0)
        {
            await WriteAsync();
        }

        async Task WriteAsync()
        {
            var before = report.Processed / writer.ProgressEvery;
            foreach (var (line, result) in batch.Zip(await writer.WriteAsync(batch.ConvertAll(line => line.Row!), cancellationToken)))
            {
                if (result.Errors is null)
                {
                    report.Add(result.Outcome);
                }
                else
                {
                    report.AddBad(line.Number, line.Key, result.Errors);
                }
            }

            if (report.Processed / writer.ProgressEvery > before)
            {
                report.WriteProgress();
            }

            batch.Clear();
        }
    }

    private static ImportError? Describe(Exception exception) => exception switch
    {
        RowTooLongException => new("/problems/malformed-request", StatusCodes.Status400BadRequest, exception.Message),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => new("/problems/body-too-large", StatusCodes.Status413PayloadTooLarge,
            "The body exceeds the size limit. The counted rows are stored; send the rows after them in a separate file."),
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => new("/problems/request-timeout", StatusCodes.Status408RequestTimeout,
            "The body did not arrive in time. The counted rows are stored; send the file again."),
        BadHttpRequestException or InvalidDataException => new("/problems/malformed-request", StatusCodes.Status400BadRequest, "The body could not be read completely."),
        _ when exception.IsTransientDatabaseFailure() => new(
            "/problems/dependency-unavailable", StatusCodes.Status503ServiceUnavailable, "The database does not answer. Send the file again later."),
        _ => null,
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "An import was aborted after {Processed} rows: {Detail}")]
    private static partial void LogBrokenOff(ILogger logger, long processed, string detail, Exception exception);
}

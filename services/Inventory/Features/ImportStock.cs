using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>Sets the stock of many products from a file: an opening balance, a count of everything.</summary>
internal static class ImportStock
{
    public const string Csv = "text/csv";
    public const string NdJson = "application/x-ndjson";

    /// <summary>Largest file, in bytes: some millions of lines.</summary>
    public const long MaxBody = 256L * 1024 * 1024;

    private const int BatchSize = 300;

    /// <param name="ProductId">The product.</param>
    /// <param name="OnHand">Units that are there.</param>
    /// <param name="Location">Where; left out: <c>default</c>.</param>
    /// <param name="LowStockThreshold">The product's threshold; left out: as it was.</param>
    public sealed record Row(Guid ProductId, long OnHand, string Location = StockItem.DefaultLocation, long? LowStockThreshold = null);

    /// <summary>A line of the answer: <c>line</c> with <c>errors</c>, or <c>processed</c>, or the last one, which has <c>done</c>.</summary>
    public sealed record Report(
        long? Line = null, Dictionary<string, string[]>? Errors = null, long? Processed = null, bool? Done = null, long? Changed = null, long? Unchanged = null,
        long? Failed = null);

    /// <summary>Set stock from a file</summary>
    /// <remarks>
    /// <c>text/csv</c> with the columns productId, location, onHand, lowStockThreshold named in its first line, or <c>application/x-ndjson</c> with
    /// the same members; location and lowStockThreshold may be left out. Absolute numbers, set whatever was there before, with a ledger row for
    /// each that changes. The answer is NDJSON and comes while the file is read: a line per bad line, a line per batch, and at last one with
    /// <c>done</c>. A bad line (unreadable, unknown location, below what is reserved) stops no good one.
    /// </remarks>
    public static Results<PushStreamHttpResult, ProblemHttpResult> Handle(
        string? reference, HttpContext http, StockWriter writer, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        if (reference?.Length > 200 || reference?.Contains('\0', StringComparison.Ordinal) == true)
        {
            return Problems.MalformedRequest("reference", "At most 200 characters are allowed.");
        }

        var csv = http.Request.ContentType?.StartsWith(Csv, StringComparison.OrdinalIgnoreCase) == true;
        var lines = csv ? ImportRows.ReadCsvAsync(http.Request.Body, cancellationToken) : ImportRows.ReadNdJsonAsync(http.Request.Body, cancellationToken);
        var import = new Import(writer, reference, loggers.CreateLogger(typeof(ImportStock)));
        return TypedResults.Stream(body => import.RunAsync(lines, body, cancellationToken), NdJson);
    }

    /// <summary>One file's way through.</summary>
    private sealed class Import(StockWriter writer, string? reference, ILogger logger)
    {
        private long _processed;
        private long _changed;
        private long _unchanged;
        private long _failed;

        public async Task RunAsync(IAsyncEnumerable<ImportLine> lines, Stream body, CancellationToken cancellationToken)
        {
            var batch = new List<ImportLine>(BatchSize);
            string? broken = null;
            try
            {
                await foreach (var line in lines.WithCancellation(cancellationToken))
                {
                    batch.Add(line);
                    if (batch.Count == BatchSize)
                    {
                        await ApplyAsync(batch, body, cancellationToken);
                        batch.Clear();
                    }
                }

                if (batch.Count > 0)
                {
                    await ApplyAsync(batch, body, cancellationToken);
                }
            }
            catch (NpgsqlException exception)
            {
                ImportLog.Failed(logger, exception);
                broken = "The database does not answer. What is processed is kept; send the rest again.";
            }
            catch (BadHttpRequestException exception)
            {
                // The status has been sent already; the last line says it.
                broken = exception.Message;
            }

            await WriteAsync(
                body,
                new(
                    Errors: broken is null ? null : new() { ["$"] = [broken] }, Processed: _processed, Done: broken is null, Changed: _changed, Unchanged: _unchanged,
                    Failed: _failed),
                cancellationToken);
        }

        private async Task ApplyAsync(List<ImportLine> batch, Stream body, CancellationToken cancellationToken)
        {
            var rows = batch.Where(line => line.Row is not null).ToList();
            var errors = batch.Where(line => line.Row is null).ToList();
            var (changed, unchanged) = (0, 0);
            if (rows.Count > 0)
            {
                await writer.ChangeAsync<ProblemHttpResult>(
                    new([], [.. rows.Select(line => line.Row!.ProductId).Distinct()], [], KeepLocations: true),
                    (stock, _) =>
                    {
                        // It may run again.
                        errors.RemoveAll(line => line.Row is not null);
                        (changed, unchanged) = (0, 0);
                        foreach (var line in rows)
                        {
                            if (Set(line, stock, out var isChanged) is { } error)
                            {
                                errors.Add(error);
                            }
                            else if (isChanged)
                            {
                                changed++;
                            }
                            else
                            {
                                unchanged++;
                            }
                        }

                        return Task.FromResult<ProblemHttpResult?>(null);
                    },
                    cancellationToken);
            }

            foreach (var error in errors.OrderBy(error => error.Line))
            {
                await WriteAsync(body, new(error.Line, error.Errors), cancellationToken);
            }

            _processed += batch.Count;
            _failed += errors.Count;
            _changed += changed;
            _unchanged += unchanged;
            await WriteAsync(body, new(Processed: _processed), cancellationToken);
            await body.FlushAsync(cancellationToken);
        }

        private ImportLine? Set(ImportLine line, StockBatch stock, out bool isChanged)
        {
            isChanged = false;
            var row = line.Row!;
            if (!stock.Locations.ContainsKey(row.Location))
            {
                return line with { Errors = new() { ["location"] = ["No location has this code."] } };
            }

            var item = stock.Item(row.ProductId, row.Location);
            if (item is not null && item.OnHand == row.OnHand && (row.LowStockThreshold ?? item.LowStockThreshold) == item.LowStockThreshold)
            {
                return null;
            }

            var others = (stock.Product(row.ProductId)?.OnHand ?? 0) - (item?.OnHand ?? 0);
            if (others + row.OnHand > StockLimits.MaxUnits)
            {
                return line with { Errors = new() { ["onHand"] = [$"There would be more than {StockLimits.MaxUnits} units."] } };
            }

            if (row.OnHand < (item?.Reserved ?? 0))
            {
                return line with { Errors = new() { ["onHand"] = [$"{item!.Reserved} are reserved there."] } };
            }

            item ??= stock.Create(row.ProductId, row.Location);
            var delta = row.OnHand - item.OnHand;
            item.TrySetOnHand(row.OnHand);
            if (row.LowStockThreshold is { } threshold)
            {
                stock.Product(row.ProductId)!.SetLowStockThreshold(threshold);
            }

            stock.Record(item, MovementKind.Set, delta, 0, reason: "import", reference: reference);
            isChanged = true;
            return null;
        }

        private static async Task WriteAsync(Stream body, Report report, CancellationToken cancellationToken)
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(report, ImportJson.Default.Report);
            await body.WriteAsync((byte[])[.. json, (byte)'\n'], cancellationToken);
        }
    }
}

internal static partial class ImportLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "An import ended early")]
    public static partial void Failed(ILogger logger, Exception exception);
}

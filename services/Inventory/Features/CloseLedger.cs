using System.Diagnostics.CodeAnalysis;
using Npgsql;
using OrderInventory.Inventory.Data;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// Adds movements that are old enough to the closing balances, so that the stock records can be compared without reading the whole ledger. It
/// closes a few products at a time, each time in a separate transaction that takes no lock on stock. So orders do not wait for it, and an
/// interrupted round leaves correct balances with an older cut.
/// </summary>
internal sealed partial class CloseLedger(NpgsqlDataSource database, InventoryOptions options, TimeProvider time, ILogger<CloseLedger> logger) : BackgroundService
{
    /// <summary>The delay of the first round: soon after the start, but not during it.</summary>
    private static readonly TimeSpan s_afterStart = TimeSpan.FromMinutes(1);

    [SuppressMessage("Design", "CA1031", Justification = "An unhandled exception in a background service ends the host; the next round tries again.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.ClosingInterval, time);
        await Task.Delay(s_afterStart, time, stoppingToken);
        do
        {
            try
            {
                await CloseAsync(time.GetUtcNow() - options.ClosingAge, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>One round over all products.</summary>
    internal async Task CloseAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        Guid? last = Guid.Empty;
        while (last is { } after)
        {
            last = await CloseSomeAsync(after, before, cancellationToken);
        }
    }

    /// <summary>Closes the next twenty products of the ledger. Returns the last of them, or null when there are no more.</summary>
    internal async Task<Guid?> CloseSomeAsync(Guid after, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var products = await ReadProductsAsync(after, cancellationToken);
        if (products.Length == 0)
        {
            return null;
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var writes = new NpgsqlBatch(connection, transaction);
        writes.AddClosing(products, before);
        await writes.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return products[^1];
    }

    /// <summary>Reads each product with one index probe, because the ledger has many rows per product.</summary>
    private async Task<Guid[]> ReadProductsAsync(Guid after, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            WITH RECURSIVE walk AS (
                SELECT $1 AS product_id, 0 AS number
                UNION ALL
                SELECT (SELECT m.product_id FROM stock_movements m WHERE m.product_id > w.product_id ORDER BY m.product_id LIMIT 1), w.number + 1
                FROM walk AS w WHERE w.product_id IS NOT NULL AND w.number < 20)
            SELECT array_agg(product_id ORDER BY product_id) FROM walk WHERE number > 0 AND product_id IS NOT NULL
            """);
        command.Parameters.Add(new() { Value = after });
        return await command.ExecuteScalarAsync(cancellationToken) as Guid[] ?? [];
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Closing balances of the ledger could not be written; will be retried")]
    private partial void LogFailed(Exception exception);
}

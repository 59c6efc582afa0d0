using Npgsql;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Features;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Inventory.Data;

/// <summary>A change that no order's event has caused, in one transaction: lock, decide, write with its movements and its events.</summary>
internal sealed class StockWriter(NpgsqlDataSource database, OutboxSignal signal, ReadCache cache, InventoryOptions options, TimeProvider time)
{
    private const int MaxAttempts = 5;

    /// <summary>One product's change by a person.</summary>
    /// <param name="productId">Its rows are locked while <paramref name="decide"/> runs.</param>
    /// <param name="decide">Changes the stock and returns null, or returns the answer that refuses; nothing is written then. It may run again.</param>
    /// <param name="cancellationToken">Cancels before the commit only.</param>
    /// <returns>The refusal, or null.</returns>
    public Task<TRefusal?> ChangeAsync<TRefusal>(Guid productId, Func<StockBatch, TRefusal?> decide, CancellationToken cancellationToken)
        where TRefusal : class =>
        ChangeAsync(OneProduct(productId), (stock, _) => Task.FromResult(decide(stock)), cancellationToken);

    /// <inheritdoc cref="ChangeAsync{TRefusal}(Guid, Func{StockBatch, TRefusal}, CancellationToken)"/>
    /// <param name="scope">What is locked.</param>
    /// <param name="decide">As above; it may add statements to the writes, and read on their connection.</param>
    /// <param name="cancellationToken">Cancels before the commit only.</param>
    public Task<TRefusal?> ChangeAsync<TRefusal>(
        StockScope scope, Func<StockBatch, NpgsqlBatch, Task<TRefusal?>> decide, CancellationToken cancellationToken)
        where TRefusal : class => RetryAsync(async () =>
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var (refusal, stock) = await ChangeAsync(connection, scope, decide, cancellationToken);
            if (refusal is null)
            {
                await transaction.CommitAsync(cancellationToken);
                Committed(stock);
            }

            return refusal;
        });

    /// <summary>A product that somebody changes, and may make a record of at another location.</summary>
    public static StockScope OneProduct(Guid productId) => new([], [productId], [], KeepLocations: true);

    /// <summary>Runs a transaction, and again when it met another one.</summary>
    public static async Task<T> RetryAsync<T>(Func<Task<T>> transaction)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await transaction();
            }
            catch (PostgresException exception) when (attempt < MaxAttempts && exception.SqlState is PostgresErrorCodes.UniqueViolation
                or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected)
            {
                // Somebody else made the same row at this moment, or stood in the way: now it is seen.
            }
        }
    }

    /// <summary>As above in the caller's transaction; call <see cref="Committed"/> after its commit.</summary>
    public async Task<(TRefusal? Refusal, StockBatch Stock)> ChangeAsync<TRefusal>(
        NpgsqlConnection connection, StockScope scope, Func<StockBatch, NpgsqlBatch, Task<TRefusal?>> decide, CancellationToken cancellationToken)
        where TRefusal : class
    {
        var stock = await StockBatch.LoadAsync(connection, scope, options.Allocation, time, cancellationToken);
        await using var writes = new NpgsqlBatch(connection);
        if (await decide(stock, writes) is { } refusal)
        {
            return (refusal, stock);
        }

        stock.Save(writes);
        writes.AddOutbox([.. stock.Events()]);
        if (writes.BatchCommands.Count > 0)
        {
            await writes.ExecuteNonQueryAsync(cancellationToken);
        }

        return (null, stock);
    }

    /// <summary>What may be lost: the relay is woken, and readers miss the cache.</summary>
    public void Committed(StockBatch stock)
    {
        signal.Wake();
        cache.Invalidate([.. stock.Changed.Select(product => StockLevel.CacheKey(product.ProductId))]);
    }
}

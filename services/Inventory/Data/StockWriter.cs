using Npgsql;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Features;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Inventory.Data;

/// <summary>One product's change by a person, in one transaction: lock, decide, write with its movement and its event.</summary>
internal sealed class StockWriter(NpgsqlDataSource database, OutboxSignal signal, ReadCache cache, TimeProvider time)
{
    /// <param name="productId">Its row is locked while <paramref name="decide"/> runs.</param>
    /// <param name="decide">Changes the stock and returns null, or returns the answer that refuses; nothing is written then.</param>
    /// <param name="cancellationToken">Cancels before the commit only.</param>
    /// <returns>The refusal, or null.</returns>
    public async Task<TRefusal?> ChangeAsync<TRefusal>(Guid productId, Func<StockBatch, TRefusal?> decide, CancellationToken cancellationToken)
        where TRefusal : class
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var stock = await StockBatch.LoadAsync(connection, [], [productId], time.GetStorableNow(), cancellationToken);
        if (decide(stock) is { } refusal)
        {
            return refusal;
        }

        await using var writes = new NpgsqlBatch(connection, transaction);
        stock.Save(writes);
        writes.AddOutbox([.. stock.Events()]);
        if (writes.BatchCommands.Count > 0)
        {
            await writes.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        signal.Wake();
        cache.Invalidate(StockLevel.CacheKey(productId));
        return null;
    }
}

using Npgsql;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Domain;
using OrderInventory.Orders.Features;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Orders.Data;

/// <summary>One order's change by a person, in one transaction: lock, decide, write with its event.</summary>
internal sealed class OrderWriter(NpgsqlDataSource database, OutboxSignal signal, RecentOrders recent, TimeProvider time)
{
    /// <param name="id">Its row is locked while <paramref name="decide"/> runs.</param>
    /// <param name="decide">Changes the order, or not, and makes the answer; gets null when there is no such order.</param>
    /// <param name="cancellationToken">Cancels before the commit only.</param>
    public async Task<TAnswer> ChangeAsync<TAnswer>(Guid id, Func<Order?, DateTimeOffset, TAnswer> decide, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var orders = await OrderBatch.LoadAsync(connection, [id], time.GetStorableNow(), cancellationToken);
        var order = orders.Find(id);
        var answer = decide(order, orders.Now);
        if (!orders.Changed.Any())
        {
            return answer;
        }

        orders.PublishUpdated(order!);
        await using var writes = new NpgsqlBatch(connection, transaction);
        orders.Save(writes);
        writes.AddOutbox(orders.Events);
        await writes.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        signal.Wake();
        recent.Changed(order!.CustomerId);
        return answer;
    }
}

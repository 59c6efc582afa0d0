using Npgsql;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Data;
using Polly;

namespace OrderInventory.Orders.Data;

/// <summary>Changes one order in one transaction: lock, decide, write with its event.</summary>
internal sealed class OrderWriter(NpgsqlDataSource database, OutboxSignal signal, RecentOrders recent, TimeProvider time)
{
    private readonly ResiliencePipeline _retry = TransactionRetry.Create(time);

    /// <summary>Changes the order; retries the whole transaction after a deadlock or a serialization failure.</summary>
    /// <param name="id">The order; its row is locked while <paramref name="decide"/> runs.</param>
    /// <param name="decide">Changes the order, or not, and returns the answer; gets null when there is no such order.</param>
    /// <param name="by">Who wants it, for the history.</param>
    /// <param name="cancellationToken">Cancels before the commit only.</param>
    /// <param name="answer">What Inventory answered when it was queried; recorded in the history if the order changes.</param>
    public async Task<TAnswer> ChangeAsync<TAnswer>(
        Guid id, Func<Order?, DateTimeOffset, TAnswer> decide, Actor by, CancellationToken cancellationToken, ReservationDecided? answer = null) =>
        await _retry.ExecuteAsync(async stop => await ChangeOnceAsync(id, decide, by, answer, stop), cancellationToken);

    private async Task<TAnswer> ChangeOnceAsync<TAnswer>(
        Guid id, Func<Order?, DateTimeOffset, TAnswer> decide, Actor by, ReservationDecided? answer, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (decision, changed, written) = await WriteAsync(connection, transaction, id, decide, by, answer, new("COMMIT"), cancellationToken);
        if (changed is not null)
        {
            signal.Committed(written!);
            recent.Changed(changed.CustomerId);
        }

        return decision;
    }

    /// <summary>The same in the caller's transaction, which the caller commits. Also returns the order if it was changed.</summary>
    public async Task<(TAnswer Answer, Order? Changed)> ChangeAsync<TAnswer>(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, Func<Order?, DateTimeOffset, TAnswer> decide, Actor by, CancellationToken cancellationToken)
    {
        var (decision, changed, _) = await WriteAsync(connection, transaction, id, decide, by, null, end: null, cancellationToken);
        return (decision, changed);
    }

    private async Task<(TAnswer Answer, Order? Changed, OutboxWrite? Written)> WriteAsync<TAnswer>(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, Func<Order?, DateTimeOffset, TAnswer> decide, Actor by,
        ReservationDecided? answer, NpgsqlBatchCommand? end, CancellationToken cancellationToken)
    {
        var orders = await OrderBatch.LoadAsync(connection, [id], time, cancellationToken);
        var order = orders.Find(id);
        var decision = order is null ? decide(null, orders.Now) : orders.Change(order, o => decide(o, orders.Now), by);
        if (!orders.Changed.Any())
        {
            return (decision, null, null);
        }

        if (answer is not null)
        {
            orders.Remember(answer);
        }

        await using var writes = new NpgsqlBatch(connection, transaction);
        orders.Save(writes);
        return (decision, order, await writes.WriteAsync(orders.Events, cancellationToken, end));
    }
}

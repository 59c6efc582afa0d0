using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Orders.Data;

/// <summary>
/// The orders that one transaction changes: locked once in the order of their ids, changed in memory, each written once, guarded by
/// the version that was read.
/// </summary>
internal sealed class OrderBatch
{
    private readonly Dictionary<Guid, Order> _orders = [];
    private readonly List<OutboxMessage> _events = [];
    private readonly Dictionary<Guid, Loaded> _loaded = [];
    private readonly List<HistoryEntry> _history = [];

    private OrderBatch()
    {
    }

    /// <summary>The time after everything was locked.</summary>
    public DateTimeOffset Now { get; private set; }

    /// <summary>The events to publish with the changes.</summary>
    public IReadOnlyList<OutboxMessage> Events => _events;

    /// <summary>The orders that changed.</summary>
    public IEnumerable<Order> Changed => _orders.Values.Where(order => order.Version != _loaded[order.Id].Version);

    /// <summary>Locks and reads, in one round trip.</summary>
    public static async Task<OrderBatch> LoadAsync(NpgsqlConnection connection, Guid[] ids, TimeProvider time, CancellationToken cancellationToken)
    {
        var batch = new OrderBatch();
        await using var select = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("""
                    SELECT id, customer_id, status, version, currency, total, hold_id, reason, rejection, revision, carrier, tracking_number,
                        ship_to, ship_to_erased, returns, placed_at, updated_at
                    FROM orders WHERE id = ANY($1) ORDER BY id FOR UPDATE
                    """)
                { Parameters = { new() { Value = ids } } },
                new("""
                    SELECT order_id, line_no, product_id, sku, name, quantity, unit_price
                    FROM order_lines WHERE order_id = ANY($1) ORDER BY order_id, line_no
                    """)
                { Parameters = { new() { Value = ids } } },
            },
        };
        await using var reader = await select.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var order = ReadOrder(reader);
            batch._orders[order.Id] = order;
        }

        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var item = new OrderItem(
                reader.GetGuid(0), reader.GetInt32(1), reader.GetGuid(2), reader.GetString(3), reader.GetString(4), reader.GetInt32(5), reader.GetDecimal(6));
            batch._orders[item.OrderId].Items.Add(item);
        }

        foreach (var order in batch._orders.Values)
        {
            batch._loaded[order.Id] = new(order.Version, order.Items);
        }

        // Only after locking: an earlier time could precede what the last owner of the locks has written.
        batch.Now = time.GetStorableNow();
        return batch;
    }

    /// <summary>The order, or null when there is none with that id.</summary>
    public Order? Find(Guid id) => _orders.GetValueOrDefault(id);

    /// <summary>Applies a change and, if it changed the order, adds its event: each version is an event.</summary>
    /// <param name="order">One of this batch's orders.</param>
    /// <param name="change">Changes the order, or leaves it unchanged.</param>
    /// <param name="by">Who asked for it, for the history.</param>
    /// <param name="cause">The event that led to it.</param>
    public T Change<T>(Order order, Func<Order, T> change, Actor by, ReceivedEvent? cause = null)
    {
        var (version, status, returns) = (order.Version, order.Status, order.Returns.Count);
        var result = change(order);
        if (order.Version != version)
        {
            var returned = order.Returns.Count > returns ? order.Returns[^1] : null;
            var updated = OutboxMessage.Create(
                OrderEvents.Updated, order.Id, order.Version, OrderEvents.UpdatedOf(order, status, returned), order.UpdatedAt, cause);
            _events.Add(updated);
            _history.Add(History.Changed(order, status, returned, updated, by, cause));
        }

        return result;
    }

    /// <summary>Records Inventory's answer for the timeline.</summary>
    /// <param name="decided">The answer.</param>
    /// <param name="cause">Its event; null when Orders requested the answer.</param>
    public void Remember(ReservationDecided decided, ReceivedEvent? cause = null) => _history.Add(History.Answered(decided, cause));

    /// <summary>Adds the writes to the transaction's batch: one statement per table.</summary>
    public void Save(NpgsqlBatch writes)
    {
        if (_history.Count > 0)
        {
            writes.BatchCommands.Add(History.Insert(_history));
        }

        var changed = Changed.ToList();
        if (changed.Count == 0)
        {
            return;
        }

        // An order whose version has changed since it was read is not written, and its event must not be written either: the database aborts
        // the transaction with an error that makes the caller retry it.
        writes.BatchCommands.Add(new(
            $"""
            WITH written AS (
                UPDATE orders o
                SET status = n.status, version = n.version, total = n.total, reason = n.reason, rejection = n.rejection::jsonb,
                    revision = n.revision::jsonb, carrier = n.carrier, tracking_number = n.tracking_number, returns = n.returns::jsonb,
                    updated_at = n.updated_at, waiting_since = now()
                FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                    AS n (id, loaded_version, status, version, total, reason, rejection, revision, carrier, tracking_number, updated_at, returns)
                WHERE o.id = n.id AND o.version = n.loaded_version
                RETURNING o.id)
            SELECT ensure((SELECT count(*) FROM written) = cardinality($1), '{PostgresErrorCodes.SerializationFailure}', 'An order has changed since it was read.')
            """)
        {
            Parameters =
            {
                OutboxSql.Array(changed, o => o.Id, NpgsqlDbType.Uuid),
                OutboxSql.Array(changed, o => _loaded[o.Id].Version, NpgsqlDbType.Bigint),
                OutboxSql.Array(changed, o => StatusNames.Format(o.Status), NpgsqlDbType.Text),
                OutboxSql.Array(changed, o => o.Version, NpgsqlDbType.Bigint),
                OutboxSql.Array(changed, o => o.Total, NpgsqlDbType.Numeric),
                OutboxSql.Array(changed, o => o.Reason, NpgsqlDbType.Text),
                OutboxSql.Array(changed, o => OrderJson.Write(o.Rejection), NpgsqlDbType.Text),
                OutboxSql.Array(changed, o => OrderJson.Write(o.Revision), NpgsqlDbType.Text),
                OutboxSql.Array(changed, o => o.Carrier, NpgsqlDbType.Text),
                OutboxSql.Array(changed, o => o.TrackingNumber, NpgsqlDbType.Text),
                OutboxSql.Array(changed, o => o.UpdatedAt.UtcDateTime, NpgsqlDbType.TimestampTz),
                OutboxSql.Array(changed, o => OrderJson.Write(o.Returns), NpgsqlDbType.Text),
            },
        });
        if (changed.FindAll(order => order.IsFinal) is { Count: > 0 } final)
        {
            writes.BatchCommands.Add(FreeText.BlankOrders([.. final.Select(order => order.Id)]));
        }

        var revised = changed.Where(order => order.Items != _loaded[order.Id].Items).ToList();
        if (revised.Count > 0)
        {
            writes.BatchCommands.Add(new("DELETE FROM order_lines WHERE order_id = ANY($1)")
            {
                Parameters = { OutboxSql.Array(revised, o => o.Id, NpgsqlDbType.Uuid) },
            });
            writes.BatchCommands.Add(InsertLines(revised));
        }
    }

    public static NpgsqlBatchCommand InsertLines(IReadOnlyList<Order> orders)
    {
        var items = orders.SelectMany(order => order.Items).ToList();
        return new(
            """
            INSERT INTO order_lines (order_id, line_no, product_id, sku, name, quantity, unit_price)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
            """)
        {
            Parameters =
            {
                OutboxSql.Array(items, i => i.OrderId, NpgsqlDbType.Uuid),
                OutboxSql.Array(items, i => i.LineNo, NpgsqlDbType.Integer),
                OutboxSql.Array(items, i => i.ProductId, NpgsqlDbType.Uuid),
                OutboxSql.Array(items, i => i.Sku, NpgsqlDbType.Text),
                OutboxSql.Array(items, i => i.Name, NpgsqlDbType.Text),
                OutboxSql.Array(items, i => i.Quantity, NpgsqlDbType.Integer),
                OutboxSql.Array(items, i => i.UnitPrice, NpgsqlDbType.Numeric),
            },
        };
    }

    private static Order ReadOrder(NpgsqlDataReader reader) => new()
    {
        Id = reader.GetGuid(0),
        CustomerId = reader.GetGuid(1),
        Status = StatusNames.Parse(reader.GetString(2)),
        Version = reader.GetInt64(3),
        Currency = reader.GetString(4),
        Total = reader.GetDecimal(5),
        HoldId = reader.GetFieldValue<Guid?>(6),
        Reason = reader.GetStringOrNull(7),
        Rejection = OrderJson.ReadRejection(reader.GetStringOrNull(8)),
        Revision = OrderJson.ReadRevision(reader.GetStringOrNull(9)),
        Carrier = reader.GetStringOrNull(10),
        TrackingNumber = reader.GetStringOrNull(11),
        ShipTo = OrderJson.ReadShipTo(reader.GetStringOrNull(12)),
        ShipToErased = reader.GetBoolean(13),
        Returns = OrderJson.ReadReturns(reader.GetStringOrNull(14)),
        PlacedAt = reader.GetFieldValue<DateTimeOffset>(15),
        UpdatedAt = reader.GetFieldValue<DateTimeOffset>(16),
    };

    /// <summary>What the database had of an order when it was read.</summary>
    private sealed record Loaded(long Version, List<OrderItem> Items);
}

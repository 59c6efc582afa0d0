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
/// The orders that one transaction decides on: locked once in the order of their ids, decided in memory, each written once, guarded by
/// the version it had.
/// </summary>
internal sealed class OrderBatch
{
    private readonly Dictionary<Guid, Order> _orders = [];
    private readonly List<OutboxMessage> _events = [];
    private readonly Dictionary<Guid, long> _loadedVersions = [];
    private readonly List<HistoryEntry> _history = [];

    private OrderBatch()
    {
    }

    /// <summary>The clock's time after everything was locked.</summary>
    public DateTimeOffset Now { get; private set; }

    /// <summary>What is to be published with the changes.</summary>
    public IReadOnlyList<OutboxMessage> Events => _events;

    /// <summary>The orders that changed.</summary>
    public IEnumerable<Order> Changed => _orders.Values.Where(order => order.Version != _loadedVersions[order.Id]);

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
                        ship_to, returns, placed_at, updated_at, ship_to_erased
                    FROM orders WHERE id = ANY($1) ORDER BY id FOR UPDATE
                    """)
                { Parameters = { new() { Value = ids } } },
                new("""
                    SELECT l.order_id, l.product_id, l.sku, l.name, l.quantity, l.unit_price
                    FROM order_lines l WHERE l.order_id = ANY($1) ORDER BY l.order_id, l.line_no
                    """)
                { Parameters = { new() { Value = ids } } },
            },
        };
        await using var reader = await select.ExecuteReaderAsync(cancellationToken);
        var lines = new Dictionary<Guid, List<OrderLine>>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var id = reader.GetGuid(0);
            batch._orders[id] = Order.Restore(
                id, reader.GetGuid(1), StatusNames.Parse(reader.GetString(2)), reader.GetInt64(3), reader.GetString(4), reader.GetDecimal(5),
                reader.GetFieldValue<Guid?>(6), reader.GetStringOrNull(7),
                OrderJson.ReadRejection(reader.GetStringOrNull(8)), OrderJson.ReadRevision(reader.GetStringOrNull(9)),
                reader.GetStringOrNull(10), reader.GetStringOrNull(11),
                OrderJson.ReadShipTo(reader.GetStringOrNull(12)), reader.GetBoolean(16), OrderJson.ReadReturns(reader.GetStringOrNull(13)),
                reader.GetFieldValue<DateTimeOffset>(14), reader.GetFieldValue<DateTimeOffset>(15), lines[id] = []);
            batch._loadedVersions[id] = reader.GetInt64(3);
        }

        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var id = reader.GetGuid(0);
            lines[id].Add(new(reader.GetGuid(1), reader.GetString(2), reader.GetString(3), reader.GetInt32(4), new(reader.GetDecimal(5), batch._orders[id].Currency)));
        }

        // Not before: it would be earlier than what the last owner of the locks has written.
        batch.Now = time.GetStorableNow();
        return batch;
    }

    /// <summary>The order, or null when there is none of that id.</summary>
    public Order? Find(Guid id) => _orders.GetValueOrDefault(id);

    /// <summary>Tells of the change that was just made to the order. Call it once per change: each version is an event.</summary>
    public void PublishUpdated(Order order, string by, ReceivedEvent? cause = null)
    {
        var updated = OutboxMessage.Create(OrderEvents.Updated, order.Id, order.Version, OrderEvents.UpdatedOf(order), order.UpdatedAt, cause);
        _events.Add(updated);
        _history.Add(History.Changed(order, updated, by, cause));
    }

    /// <summary>Remembers Inventory's answer for the timeline.</summary>
    /// <param name="decided">The answer.</param>
    /// <param name="cause">Its event; null when Inventory was asked for it.</param>
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

        // An order that has another version than the one decided on is not written, and its event must not stand: the database ends the
        // transaction then, with what says that it is to be run again.
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
                OutboxSql.Array(changed, o => _loadedVersions[o.Id], NpgsqlDbType.Bigint),
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

        var revised = changed.Where(order => order.LinesChanged).ToList();
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
        var lines = orders.SelectMany(order => order.Lines.Select((line, index) => (Order: order, Line: line, No: index + 1))).ToList();
        return new(
            """
            INSERT INTO order_lines (order_id, line_no, product_id, sku, name, quantity, unit_price)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
            """)
        {
            Parameters =
            {
                OutboxSql.Array(lines, l => l.Order.Id, NpgsqlDbType.Uuid),
                OutboxSql.Array(lines, l => l.No, NpgsqlDbType.Integer),
                OutboxSql.Array(lines, l => l.Line.ProductId, NpgsqlDbType.Uuid),
                OutboxSql.Array(lines, l => l.Line.Sku, NpgsqlDbType.Text),
                OutboxSql.Array(lines, l => l.Line.Name, NpgsqlDbType.Text),
                OutboxSql.Array(lines, l => l.Line.Quantity, NpgsqlDbType.Integer),
                OutboxSql.Array(lines, l => l.Line.UnitPrice.Amount, NpgsqlDbType.Numeric),
            },
        };
    }
}

using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Inventory.Data;

/// <summary>
/// The rows that one transaction decides on. All of them are locked once, orders before products and each in the order of their ids, so
/// two transactions never wait for each other in a circle; then everything is decided in memory, and each row is written once.
/// </summary>
internal sealed class StockBatch
{
    private readonly Dictionary<Guid, Reservation> _reservations = [];
    private readonly SortedDictionary<Guid, StockItem> _items = [];
    private readonly List<StockMovement> _movements = [];
    private readonly Dictionary<Guid, ReceivedEvent> _lastCause = [];

    internal StockBatch(DateTimeOffset now, IEnumerable<StockItem> items, IEnumerable<Reservation> reservations)
    {
        Now = now;
        foreach (var item in items)
        {
            _items.Add(item.ProductId, item);
        }

        foreach (var reservation in reservations)
        {
            _reservations.Add(reservation.OrderId, reservation);
        }
    }

    /// <summary>One time for the whole batch.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>Locks and reads, in one round trip.</summary>
    public static async Task<StockBatch> LoadAsync(
        NpgsqlConnection connection, Guid[] orders, Guid[] products, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var reservations = new List<Reservation>();
        var items = new List<StockItem>();
        await using var select = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("""
                    SELECT order_id, order_version, outcome, lines, shortages, decided_at
                    FROM reservations WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE
                    """)
                { Parameters = { new() { Value = orders } } },
                new("""
                    SELECT product_id, location, on_hand, reserved, low_stock_threshold, version
                    FROM stock_levels WHERE product_id = ANY($1) ORDER BY product_id, location FOR UPDATE
                    """)
                { Parameters = { new() { Value = products } } },
            },
        };
        await using var reader = await select.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            reservations.Add(new(
                reader.GetGuid(0), reader.GetInt64(1), Outcomes.Parse(reader.GetString(2)),
                JsonSerializer.Deserialize(reader.GetString(3), InventoryJson.Default.IReadOnlyListReservedLine)!,
                JsonSerializer.Deserialize(reader.GetString(4), InventoryJson.Default.IReadOnlyListShortage)!,
                reader.GetFieldValue<DateTimeOffset>(5)));
        }

        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            items.Add(new(reader.GetGuid(0), reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), reader.GetInt64(5)));
        }

        return new(now, items, reservations);
    }

    /// <summary>What is known of the order; an empty reservation when nothing is.</summary>
    public Reservation Reservation(Guid orderId) =>
        _reservations.TryGetValue(orderId, out var reservation) ? reservation : _reservations[orderId] = new(orderId);

    /// <summary>The product's stock, or null when there is no record of it.</summary>
    public StockItem? Item(Guid productId) => _items.GetValueOrDefault(productId);

    public long Available(Guid productId) => Item(productId)?.Available ?? 0;

    /// <summary>Makes the stock record that is not there yet.</summary>
    public StockItem Create(Guid productId) => _items[productId] = new(productId, StockItem.DefaultLocation, 0, 0, 0, 0);

    public void Record(StockItem item, MovementKind kind, long onHandDelta, long reservedDelta, ReceivedEvent? cause = null, Guid? orderId = null, string? reason = null, string? reference = null)
    {
        _movements.Add(new()
        {
            ProductId = item.ProductId,
            Id = Guid.CreateVersion7(Now),
            Location = item.Location,
            Kind = kind,
            OnHandDelta = onHandDelta,
            ReservedDelta = reservedDelta,
            OrderId = orderId,
            Reason = reason,
            Reference = reference,
            EventId = cause?.Id,
            OccurredAt = Now,
        });
        if (cause is not null)
        {
            _lastCause[item.ProductId] = cause;
        }
    }

    public IReadOnlyList<StockMovement> Movements => _movements;

    /// <summary>The products whose numbers changed.</summary>
    public IEnumerable<StockItem> Changed => _items.Values.Where(item => item.IsChanged);

    /// <summary>Adds the writes to the transaction's batch: one statement per table.</summary>
    public void Save(NpgsqlBatch writes)
    {
        AddNotEmpty([.. Changed.Where(i => i.IsNew)], InsertLevels);
        AddNotEmpty([.. Changed.Where(i => !i.IsNew)], UpdateLevels);
        AddNotEmpty([.. _reservations.Values.Where(r => r is { IsChanged: true, IsNew: true }).OrderBy(r => r.OrderId)], InsertReservations);
        AddNotEmpty([.. _reservations.Values.Where(r => r is { IsChanged: true, IsNew: false })], UpdateReservations);
        AddNotEmpty(_movements, InsertMovements);

        void AddNotEmpty<T>(IReadOnlyList<T> rows, Func<IReadOnlyList<T>, NpgsqlBatchCommand> command)
        {
            if (rows.Count > 0)
            {
                writes.BatchCommands.Add(command(rows));
            }
        }
    }

    /// <summary>One <c>inventory.updated</c> per product that changed, in the trace of the last event that touched it.</summary>
    public IEnumerable<OutboxMessage> Events() => Changed.Select(item => OutboxMessage.Create(
        InventoryEvents.Updated, item.ProductId, item.Version,
        new InventoryUpdated(item.ProductId, item.Version, item.OnHand, item.Reserved, item.Available, item.LowStockThreshold, item.Crossing, Now),
        Now, _lastCause.GetValueOrDefault(item.ProductId)));

    private NpgsqlBatchCommand InsertLevels(IReadOnlyList<StockItem> items) => Levels(items,
        """
        INSERT INTO stock_levels (product_id, location, on_hand, reserved, low_stock_threshold, version, updated_at)
        SELECT product_id, location, on_hand, reserved, threshold, version, $7
        FROM unnest($1, $2, $3, $4, $5, $6) AS n (product_id, location, on_hand, reserved, threshold, version)
        """);

    private NpgsqlBatchCommand UpdateLevels(IReadOnlyList<StockItem> items) => Levels(items,
        """
        UPDATE stock_levels s
        SET on_hand = n.on_hand, reserved = n.reserved, low_stock_threshold = n.threshold, version = n.version, updated_at = $7
        FROM unnest($1, $2, $3, $4, $5, $6) AS n (product_id, location, on_hand, reserved, threshold, version)
        WHERE s.product_id = n.product_id AND s.location = n.location
        """);

    private NpgsqlBatchCommand Levels(IReadOnlyList<StockItem> items, string sql) => new(sql)
    {
        Parameters =
        {
            OutboxSql.Array(items, i => i.ProductId, NpgsqlDbType.Uuid),
            OutboxSql.Array(items, i => i.Location, NpgsqlDbType.Text),
            OutboxSql.Array(items, i => i.OnHand, NpgsqlDbType.Bigint),
            OutboxSql.Array(items, i => i.Reserved, NpgsqlDbType.Bigint),
            OutboxSql.Array(items, i => i.LowStockThreshold, NpgsqlDbType.Bigint),
            OutboxSql.Array(items, i => i.Version, NpgsqlDbType.Bigint),
            new() { Value = Now.UtcDateTime },
        },
    };

    // A plain insert: when another transaction has made the row since we looked, the unique violation makes the batch repeat, and it finds the row.
    private static NpgsqlBatchCommand InsertReservations(IReadOnlyList<Reservation> reservations) => Reservations(reservations,
        """
        INSERT INTO reservations (order_id, order_version, outcome, lines, shortages, decided_at)
        SELECT order_id, order_version, outcome, lines::jsonb, shortages::jsonb, decided_at
        FROM unnest($1, $2, $3, $4, $5, $6) AS n (order_id, order_version, outcome, lines, shortages, decided_at)
        """);

    private static NpgsqlBatchCommand UpdateReservations(IReadOnlyList<Reservation> reservations) => Reservations(reservations,
        """
        UPDATE reservations r
        SET order_version = n.order_version, outcome = n.outcome, lines = n.lines::jsonb, shortages = n.shortages::jsonb, decided_at = n.decided_at
        FROM unnest($1, $2, $3, $4, $5, $6) AS n (order_id, order_version, outcome, lines, shortages, decided_at)
        WHERE r.order_id = n.order_id
        """);

    private static NpgsqlBatchCommand Reservations(IReadOnlyList<Reservation> reservations, string sql) => new(sql)
    {
        Parameters =
        {
            OutboxSql.Array(reservations, r => r.OrderId, NpgsqlDbType.Uuid),
            OutboxSql.Array(reservations, r => r.OrderVersion, NpgsqlDbType.Bigint),
            OutboxSql.Array(reservations, r => Outcomes.Format(r.Outcome!.Value), NpgsqlDbType.Text),
            OutboxSql.Array(reservations, r => JsonSerializer.Serialize(r.Lines, InventoryJson.Default.IReadOnlyListReservedLine), NpgsqlDbType.Text),
            OutboxSql.Array(reservations, r => JsonSerializer.Serialize(r.Shortages, InventoryJson.Default.IReadOnlyListShortage), NpgsqlDbType.Text),
            OutboxSql.Array(reservations, r => r.DecidedAt.UtcDateTime, NpgsqlDbType.TimestampTz),
        },
    };

    private static NpgsqlBatchCommand InsertMovements(IReadOnlyList<StockMovement> movements) => new(
        """
        INSERT INTO stock_movements (product_id, id, location, kind, on_hand_delta, reserved_delta, order_id, reason, reference, event_id, occurred_at)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """)
    {
        Parameters =
        {
            OutboxSql.Array(movements, m => m.ProductId, NpgsqlDbType.Uuid),
            OutboxSql.Array(movements, m => m.Id, NpgsqlDbType.Uuid),
            OutboxSql.Array(movements, m => m.Location, NpgsqlDbType.Text),
            OutboxSql.Array(movements, m => Outcomes.Format(m.Kind), NpgsqlDbType.Text),
            OutboxSql.Array(movements, m => m.OnHandDelta, NpgsqlDbType.Bigint),
            OutboxSql.Array(movements, m => m.ReservedDelta, NpgsqlDbType.Bigint),
            OutboxSql.Array(movements, m => m.OrderId, NpgsqlDbType.Uuid),
            OutboxSql.Array(movements, m => m.Reason, NpgsqlDbType.Text),
            OutboxSql.Array(movements, m => m.Reference, NpgsqlDbType.Text),
            OutboxSql.Array(movements, m => m.EventId, NpgsqlDbType.Uuid),
            OutboxSql.Array(movements, m => m.OccurredAt.UtcDateTime, NpgsqlDbType.TimestampTz),
        },
    };
}

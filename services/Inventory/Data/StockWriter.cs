using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Inventory.Data;

/// <summary>Writes what was decided: one statement per table and kind of write, and none for a table that nothing happened to.</summary>
internal static class StockWriter
{
    /// <summary>Adds the writes to the transaction's batch.</summary>
    public static void AddStock(this NpgsqlBatch writes, Stock stock)
    {
        // Goods that came back and are not sold again have a ledger row and change no number. A record that comes back does so with all its rows.
        var levels = stock.Products.SelectMany(product => product.IsRemoved || (product.IsStamped && !product.IsChanged) || (product.IsChanged && product.Items.Any(item => item.IsRemoved))
            ? product.Items.Where(item => item.IsChanged || !item.IsNew)
            : product.Items.Where(item => item.IsChanged)).ToList();
        var changedHolds = stock.Holds.Where(hold => hold.IsChanged).ToList();
        var newHolds = stock.Holds.Where(hold => hold.IsNew).ToList();
        Add(levels.FindAll(item => item.IsNew), items => Levels(stock, items, InsertLevels));
        Add(levels.FindAll(item => !item.IsNew), items => Levels(stock, items, UpdateLevels));
        Add([.. stock.Reservations.Where(r => r is { IsChanged: true, IsNew: true }).OrderBy(r => r.OrderId)], rows => Reservations(rows, InsertReservations));
        Add([.. stock.Reservations.Where(r => r is { IsChanged: true, IsNew: false })], rows => Reservations(rows, UpdateReservations));
        Add(newHolds, rows => InsertHolds(rows, stock.Now));
        Add(changedHolds, rows => UpdateHolds(rows, stock.Now));
        Add(changedHolds, DeleteLines);
        Add([.. changedHolds.Concat(newHolds).SelectMany(hold => hold.Lines.Select(line => new HeldLine(hold.Id, line)))], InsertLines);
        Add(stock.ExpiredLines, DeleteExpiredLines);
        Add(stock.Movements, InsertMovements);

        void Add<T>(IReadOnlyList<T> rows, Func<IReadOnlyList<T>, NpgsqlBatchCommand> write)
        {
            if (rows.Count > 0)
            {
                writes.BatchCommands.Add(write(rows));
            }
        }
    }

    private const string InsertLevels =
        """
        INSERT INTO stock_levels (product_id, location, on_hand, reserved, low_stock_threshold, version, updated_at, removed)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
        """;

    private const string UpdateLevels =
        """
        UPDATE stock_levels s
        SET on_hand = n.on_hand, reserved = n.reserved, low_stock_threshold = n.threshold, version = n.version, updated_at = n.updated_at, removed = n.removed
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS n (product_id, location, on_hand, reserved, threshold, version, updated_at, removed)
        WHERE s.product_id = n.product_id AND s.location = n.location
        """;

    private static NpgsqlBatchCommand Levels(Stock stock, IReadOnlyList<StockItem> items, string sql) => new(sql)
    {
        Parameters =
        {
            OutboxSql.Array(items, i => i.ProductId, NpgsqlDbType.Uuid),
            OutboxSql.Array(items, i => i.Location, NpgsqlDbType.Text),
            OutboxSql.Array(items, i => i.OnHand, NpgsqlDbType.Bigint),
            OutboxSql.Array(items, i => i.Reserved, NpgsqlDbType.Bigint),
            OutboxSql.Array(items, i => i.LowStockThreshold, NpgsqlDbType.Bigint),
            OutboxSql.Array(items, i => i.Version, NpgsqlDbType.Bigint),
            OutboxSql.Array(items, i => stock.Product(i.ProductId)!.Stamp(stock.Now).UtcDateTime, NpgsqlDbType.TimestampTz),
            OutboxSql.Array(items, i => stock.Product(i.ProductId)!.IsRemoved, NpgsqlDbType.Boolean),
        },
    };

    // A plain insert: when another transaction has made the row since we looked, the unique violation makes the batch repeat, and it finds the row.
    private const string InsertReservations =
        """
        INSERT INTO reservations (order_id, order_version, outcome, lines, shortages, decided_at, shipped, returned_versions)
        SELECT order_id, order_version, outcome, lines::jsonb, shortages::jsonb, decided_at, shipped::jsonb, returned_versions::jsonb
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS n (order_id, order_version, outcome, lines, shortages, decided_at, shipped, returned_versions)
        """;

    private const string UpdateReservations =
        """
        UPDATE reservations r
        SET order_version = n.order_version, outcome = n.outcome, lines = n.lines::jsonb, shortages = n.shortages::jsonb, decided_at = n.decided_at,
            shipped = n.shipped::jsonb, returned_versions = n.returned_versions::jsonb
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS n (order_id, order_version, outcome, lines, shortages, decided_at, shipped, returned_versions)
        WHERE r.order_id = n.order_id
        """;

    private static NpgsqlBatchCommand Reservations(IReadOnlyList<Reservation> reservations, string sql) => new(sql)
    {
        Parameters =
        {
            OutboxSql.Array(reservations, r => r.OrderId, NpgsqlDbType.Uuid),
            OutboxSql.Array(reservations, r => r.OrderVersion, NpgsqlDbType.Bigint),
            OutboxSql.Array(reservations, r => Outcomes.Format(r.Outcome!.Value), NpgsqlDbType.Text),
            OutboxSql.Array(reservations, r => ToJson(r.Lines), NpgsqlDbType.Text),
            OutboxSql.Array(reservations, r => r.Shortages.Count == 0 ? "[]" : JsonSerializer.Serialize(r.Shortages, InventoryJson.Default.IReadOnlyListShortage), NpgsqlDbType.Text),
            OutboxSql.Array(reservations, r => r.DecidedAt.UtcDateTime, NpgsqlDbType.TimestampTz),
            // Both are null until the order is shipped, which most rows are when they are written.
            OutboxSql.Array(reservations, r => WasShipped(r) ? ToJson(r.Shipped) : null, NpgsqlDbType.Text),
            OutboxSql.Array(reservations, r => WasShipped(r) ? JsonSerializer.Serialize(r.ReturnedVersions, InventoryJson.Default.IReadOnlyListInt64) : null, NpgsqlDbType.Text),
        },
    };

    private static bool WasShipped(Reservation reservation) => reservation.Shipped.Count > 0 || reservation.ReturnedVersions.Count > 0;

    private static string ToJson(IReadOnlyList<ReservedLine> lines) => JsonSerializer.Serialize(lines, InventoryJson.Default.IReadOnlyListReservedLine);

    // The time ends by the clock that will end it: the database's.
    private static NpgsqlBatchCommand InsertHolds(IReadOnlyList<Hold> holds, DateTimeOffset now) => new(
        """
        INSERT INTO holds (id, status, expires_at, version, lines, created_at, updated_at, customer_id)
        SELECT id, 'live', clock_timestamp() + lifetime, version, lines::jsonb, clock_timestamp(), $5, customer_id
        FROM unnest($1, $2, $3, $4, $6) AS n (id, lifetime, version, lines, customer_id)
        """)
    {
        Parameters =
        {
            OutboxSql.Array(holds, h => h.Id, NpgsqlDbType.Uuid),
            OutboxSql.Array(holds, h => h.Lifetime!.Value, NpgsqlDbType.Interval),
            OutboxSql.Array(holds, h => h.Version, NpgsqlDbType.Bigint),
            OutboxSql.Array(holds, h => HoldLines.Write(h.Wanted), NpgsqlDbType.Text),
            new() { Value = now.UtcDateTime },
            OutboxSql.Array(holds, h => h.CustomerId, NpgsqlDbType.Uuid),
        },
    };

    private static NpgsqlBatchCommand UpdateHolds(IReadOnlyList<Hold> holds, DateTimeOffset now) => new(
        """
        UPDATE holds h SET status = n.status, version = n.version, lines = n.lines::jsonb, order_id = n.order_id, updated_at = greatest(h.updated_at, $6)
        FROM unnest($1, $2, $3, $4, $5) AS n (id, status, version, lines, order_id)
        WHERE h.id = n.id
        """)
    {
        Parameters =
        {
            OutboxSql.Array(holds, h => h.Id, NpgsqlDbType.Uuid),
            OutboxSql.Array(holds, h => Outcomes.Format(h.Status), NpgsqlDbType.Text),
            OutboxSql.Array(holds, h => h.Version, NpgsqlDbType.Bigint),
            OutboxSql.Array(holds, h => HoldLines.Write(h.Wanted), NpgsqlDbType.Text),
            OutboxSql.Array(holds, h => h.OrderId, NpgsqlDbType.Uuid),
            new() { Value = now.UtcDateTime },
        },
    };

    private static NpgsqlBatchCommand DeleteLines(IReadOnlyList<Hold> holds) => new("DELETE FROM hold_lines WHERE hold_id = ANY($1)")
    {
        Parameters = { OutboxSql.Array(holds, h => h.Id, NpgsqlDbType.Uuid) },
    };

    private static NpgsqlBatchCommand InsertLines(IReadOnlyList<HeldLine> lines) => Lines(lines,
        "INSERT INTO hold_lines (hold_id, product_id, location, quantity) SELECT * FROM unnest($1, $2, $3, $4)");

    private static NpgsqlBatchCommand DeleteExpiredLines(IReadOnlyList<HeldLine> lines) => Lines(lines,
        """
        DELETE FROM hold_lines l USING unnest($1, $2, $3, $4) AS r (hold_id, product_id, location, quantity)
        WHERE (l.hold_id, l.product_id, l.location) = (r.hold_id, r.product_id, r.location)
        """);

    private static NpgsqlBatchCommand Lines(IReadOnlyList<HeldLine> lines, string sql) => new(sql)
    {
        Parameters =
        {
            OutboxSql.Array(lines, l => l.HoldId, NpgsqlDbType.Uuid),
            OutboxSql.Array(lines, l => l.Line.ProductId, NpgsqlDbType.Uuid),
            OutboxSql.Array(lines, l => l.Line.Location, NpgsqlDbType.Text),
            OutboxSql.Array(lines, l => l.Line.Quantity, NpgsqlDbType.Bigint),
        },
    };

    private static NpgsqlBatchCommand InsertMovements(IReadOnlyList<StockMovement> movements) => new(
        """
        INSERT INTO stock_movements (product_id, id, location, kind, on_hand_delta, reserved_delta, order_id, reason, reference, event_id, occurred_at, hold_id, sub, role)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
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
            OutboxSql.Array(movements, m => m.HoldId, NpgsqlDbType.Uuid),
            OutboxSql.Array(movements, m => m.Sub, NpgsqlDbType.Text),
            OutboxSql.Array(movements, m => m.Role, NpgsqlDbType.Text),
        },
    };
}

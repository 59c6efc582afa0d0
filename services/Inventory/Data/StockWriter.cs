using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Inventory.Data;

/// <summary>Writes the decisions: one statement per table and kind of write, and none for a table without changes.</summary>
internal static class StockWriter
{
    /// <summary>Adds the writes to the transaction's batch.</summary>
    public static void AddStock(this NpgsqlBatch writes, Stock stock)
    {
        var levels = stock.Products.SelectMany(product => product.ToWrite).ToList();
        writes.AddRows(levels.FindAll(item => item.IsNew), items => Levels(stock, items, InsertLevels));
        writes.AddRows(levels.FindAll(item => !item.IsNew), items => Levels(stock, items, UpdateLevels));
        writes.AddRows([.. stock.Reservations.Where(r => r is { IsChanged: true, IsNew: true }).OrderBy(r => r.OrderId)], rows => Reservations(rows, InsertReservations));
        writes.AddRows([.. stock.Reservations.Where(r => r is { IsChanged: true, IsNew: false })], rows => Reservations(rows, UpdateReservations));
        writes.AddHolds(stock);
        writes.AddRows(stock.Movements, InsertMovements);
        if (stock.BalancesToRebuild is var (product, before))
        {
            writes.AddClosingFromScratch(product, before);
        }
    }

    /// <summary>Adds one statement for all rows, if there are any.</summary>
    public static void AddRows<T>(this NpgsqlBatch writes, IReadOnlyList<T> rows, Func<IReadOnlyList<T>, NpgsqlBatchCommand> write)
    {
        if (rows.Count > 0)
        {
            writes.BatchCommands.Add(write(rows));
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
            OutboxSql.Array(items, i => stock.Product(i.ProductId)!.StaysRemoved, NpgsqlDbType.Boolean),
        },
    };

    // A plain insert: when another transaction has inserted the row since it was read, the unique violation makes the batch repeat, and then it
    // finds the row.
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
            // Both are null until the order is shipped, so they are null in most writes.
            OutboxSql.Array(reservations, r => WasShipped(r) ? ToJson(r.Shipped) : null, NpgsqlDbType.Text),
            OutboxSql.Array(reservations, r => WasShipped(r) ? JsonSerializer.Serialize(r.ReturnedVersions, InventoryJson.Default.IReadOnlyListInt64) : null, NpgsqlDbType.Text),
        },
    };

    private static bool WasShipped(Reservation reservation) => reservation.Shipped.Count > 0 || reservation.ReturnedVersions.Count > 0;

    private static string ToJson(IReadOnlyList<ReservedLine> lines) => JsonSerializer.Serialize(lines, InventoryJson.Default.IReadOnlyListReservedLine);

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

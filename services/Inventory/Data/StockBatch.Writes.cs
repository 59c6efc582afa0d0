using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Inventory.Data;

/// <content>What is written at the end: one statement per table.</content>
internal sealed partial class StockBatch
{
    /// <summary>Adds the writes to the transaction's batch: one statement per table.</summary>
    public void Save(NpgsqlBatch writes)
    {
        // Goods that came back and are not sold again have a ledger row and change no number. A record that comes back does so with all its rows.
        var levels = _products.Values.SelectMany(product => (product.IsStamped && !product.IsChanged) || product.Items.Any(item => item.IsRemoved && product.IsChanged)
            ? product.Items.Where(item => item.IsChanged || !item.IsNew)
            : product.Items.Where(item => item.IsChanged)).ToList();
        AddNotEmpty(levels.FindAll(i => i.IsNew), InsertLevels);
        AddNotEmpty(levels.FindAll(i => !i.IsNew), UpdateLevels);
        AddNotEmpty([.. _products.Values.Where(product => product.IsRemoved)], RemoveLevels);
        AddNotEmpty([.. _reservations.Values.Where(r => r is { IsChanged: true, IsNew: true }).OrderBy(r => r.OrderId)], InsertReservations);
        AddNotEmpty([.. _reservations.Values.Where(r => r is { IsChanged: true, IsNew: false })], UpdateReservations);
        AddNotEmpty([.. _reservations.Values.Where(r => r.IsShippedChanged)], UpdateShipped);
        AddNotEmpty([.. _holds.Values.Where(h => h.IsChanged)], UpdateHolds);
        AddNotEmpty([.. _holds.Values.Where(h => h.IsChanged)], DeleteHoldLines);
        AddNotEmpty([.. _holds.Values.Where(h => h.IsChanged).SelectMany(h => h.Lines.Select(line => (h.Id, line)))], InsertHoldLines);
        AddNotEmpty(_movements, InsertMovements);

        void AddNotEmpty<T>(IReadOnlyList<T> rows, Func<IReadOnlyList<T>, NpgsqlBatchCommand> command)
        {
            if (rows.Count > 0)
            {
                writes.BatchCommands.Add(command(rows));
            }
        }
    }

    private NpgsqlBatchCommand InsertLevels(IReadOnlyList<StockItem> items) => Levels(items,
        """
        INSERT INTO stock_levels (product_id, location, on_hand, reserved, low_stock_threshold, version, updated_at)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
        """);

    private NpgsqlBatchCommand UpdateLevels(IReadOnlyList<StockItem> items) => Levels(items,
        """
        UPDATE stock_levels s
        SET on_hand = n.on_hand, reserved = n.reserved, low_stock_threshold = n.threshold, version = n.version, updated_at = n.updated_at, removed = false
        FROM unnest($1, $2, $3, $4, $5, $6, $7) AS n (product_id, location, on_hand, reserved, threshold, version, updated_at)
        WHERE s.product_id = n.product_id AND s.location = n.location
        """);

    private static NpgsqlBatchCommand RemoveLevels(IReadOnlyList<ProductStock> products) => new("UPDATE stock_levels SET removed = true WHERE product_id = ANY($1)")
    {
        Parameters = { OutboxSql.Array(products, p => p.ProductId, NpgsqlDbType.Uuid) },
    };

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
            OutboxSql.Array(items, i => _products[i.ProductId].Stamp(Now).UtcDateTime, NpgsqlDbType.TimestampTz),
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

    private static NpgsqlBatchCommand UpdateShipped(IReadOnlyList<Reservation> reservations) => new(
        """
        UPDATE reservations r SET shipped = n.shipped::jsonb, returned_versions = n.returned_versions::jsonb
        FROM unnest($1, $2, $3) AS n (order_id, shipped, returned_versions)
        WHERE r.order_id = n.order_id
        """)
    {
        Parameters =
        {
            OutboxSql.Array(reservations, r => r.OrderId, NpgsqlDbType.Uuid),
            OutboxSql.Array(reservations, r => JsonSerializer.Serialize(r.Shipped, InventoryJson.Default.IReadOnlyListReservedLine), NpgsqlDbType.Text),
            OutboxSql.Array(reservations, r => JsonSerializer.Serialize(r.ReturnedVersions, InventoryJson.Default.IReadOnlyListInt64), NpgsqlDbType.Text),
        },
    };

    private NpgsqlBatchCommand UpdateHolds(IReadOnlyList<Hold> holds) => new(
        """
        UPDATE holds h SET status = n.status, version = n.version, order_id = n.order_id, updated_at = greatest(h.updated_at, $5)
        FROM unnest($1, $2, $3, $4) AS n (id, status, version, order_id)
        WHERE h.id = n.id
        """)
    {
        Parameters =
        {
            OutboxSql.Array(holds, h => h.Id, NpgsqlDbType.Uuid),
            OutboxSql.Array(holds, h => Outcomes.Format(h.Status), NpgsqlDbType.Text),
            OutboxSql.Array(holds, h => h.Version, NpgsqlDbType.Bigint),
            OutboxSql.Array(holds, h => h.OrderId, NpgsqlDbType.Uuid),
            new() { Value = Now.UtcDateTime },
        },
    };

    private static NpgsqlBatchCommand DeleteHoldLines(IReadOnlyList<Hold> holds) => new("DELETE FROM hold_lines WHERE hold_id = ANY($1)")
    {
        Parameters = { OutboxSql.Array(holds, h => h.Id, NpgsqlDbType.Uuid) },
    };

    /// <summary>The lines of holds, also for the one that makes a hold.</summary>
    public static NpgsqlBatchCommand InsertHoldLines(IReadOnlyList<(Guid HoldId, ReservedLine Line)> lines) => new(
        """
        INSERT INTO hold_lines (hold_id, product_id, location, quantity)
        SELECT * FROM unnest($1, $2, $3, $4)
        """)
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
        INSERT INTO stock_movements (product_id, id, location, kind, on_hand_delta, reserved_delta, order_id, reason, reference, event_id, occurred_at, hold_id)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
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
        },
    };
}

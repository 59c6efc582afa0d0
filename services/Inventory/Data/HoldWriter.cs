using Npgsql;
using NpgsqlTypes;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Inventory.Data;

/// <summary>Writes the decisions about holds. Hold lines are separate rows, so that one product's share of a hold can be released alone.</summary>
internal static class HoldWriter
{
    /// <summary>Adds the writes to the transaction's batch.</summary>
    public static void AddHolds(this NpgsqlBatch writes, Stock stock)
    {
        var changed = stock.Holds.Where(hold => hold.IsChanged).ToList();
        var added = stock.Holds.Where(hold => hold.IsNew).ToList();
        writes.AddRows(added, InsertHolds);
        writes.AddRows(changed, UpdateHolds);
        writes.AddRows(changed, DeleteLines);
        writes.AddRows([.. changed.Concat(added).SelectMany(hold => hold.Lines.Select(line => new HeldLine(hold.Id, line)))], InsertLines);
        writes.AddRows(stock.ExpiredLines, DeleteExpiredLines);
    }

    // All times of a hold come from the clock that also decides when it has expired: the database's.
    private static NpgsqlBatchCommand InsertHolds(IReadOnlyList<Hold> holds) => new(
        """
        INSERT INTO holds (id, status, expires_at, version, lines, created_at, updated_at, customer_id)
        SELECT id, 'live', made + lifetime, version, lines::jsonb, made, made, customer_id
        FROM unnest($1, $2, $3, $4, $5) AS n (id, lifetime, version, lines, customer_id), clock_timestamp() AS made
        """)
    {
        Parameters =
        {
            OutboxSql.Array(holds, h => h.Id, NpgsqlDbType.Uuid),
            OutboxSql.Array(holds, h => h.Lifetime!.Value, NpgsqlDbType.Interval),
            OutboxSql.Array(holds, h => h.Version, NpgsqlDbType.Bigint),
            OutboxSql.Array(holds, h => HoldLines.Write(h.Wanted), NpgsqlDbType.Text),
            OutboxSql.Array(holds, h => h.CustomerId, NpgsqlDbType.Uuid),
        },
    };

    private static NpgsqlBatchCommand UpdateHolds(IReadOnlyList<Hold> holds) => new(
        """
        UPDATE holds h SET status = n.status, version = n.version, lines = n.lines::jsonb, order_id = n.order_id,
            updated_at = greatest(h.updated_at, clock_timestamp())
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
}

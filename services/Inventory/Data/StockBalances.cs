using Npgsql;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Inventory.Data;

/// <summary>
/// Closing balances: the sums of a product's movements at each location, up to a movement that is the same for all of its locations, the cut. A
/// ledger's sum is the balances plus the movements after the cut.
/// </summary>
/// <remarks>
/// No movement is missed. The movements of a product are written under its locks, each with an id greater than the one before (Stock.Record). So
/// when a statement sees a movement, all those with smaller ids have been committed, and none will follow. The cut is such a movement. If all
/// levels of a product are lost, and with them the time of its last movement, the next id depends on the clock alone; the cut is a day old, and
/// no clock is a day slow.
/// </remarks>
internal static class StockBalances
{
    /// <summary>
    /// The last movement that is in the balances of product <c>p</c>, or an id smaller than all others when there are no balances.
    /// </summary>
    public const string Cut =
        """
        coalesce(
            (SELECT b.last_movement_id FROM stock_balances b WHERE b.product_id = p.product_id ORDER BY b.location LIMIT 1),
            '00000000-0000-0000-0000-000000000000'::uuid)
        """;

    // Two transactions at the same time would add the same movements. Nothing else writes the table, and readers do not wait.
    private const string Lock = "LOCK TABLE stock_balances IN SHARE ROW EXCLUSIVE MODE";

    // For a product with nothing to add it is one probe of each index. Locations without a new movement get the new cut too.
    private const string Add =
        $"""
        WITH old AS (
            SELECT p.product_id, {Cut} AS cut FROM unnest($1) AS p (product_id)),
        due AS (
            SELECT product_id, cut, last.id AS last_movement_id
            FROM old CROSS JOIN LATERAL (
                SELECT m.id FROM stock_movements m WHERE m.product_id = old.product_id AND m.id > old.cut AND m.id < $2 ORDER BY m.id DESC LIMIT 1) AS last)
        INSERT INTO stock_balances (product_id, location, on_hand, reserved, last_movement_id)
        SELECT due.product_id, location, sum(on_hand), sum(reserved), due.last_movement_id
        FROM due CROSS JOIN LATERAL (
            SELECT b.location, b.on_hand, b.reserved FROM stock_balances b WHERE b.product_id = due.product_id
            UNION ALL
            SELECT m.location, m.on_hand_delta, m.reserved_delta FROM stock_movements m
            WHERE m.product_id = due.product_id AND m.id > due.cut AND m.id <= due.last_movement_id) AS part
        GROUP BY due.product_id, location, due.last_movement_id
        ON CONFLICT (product_id, location) DO UPDATE
        SET on_hand = excluded.on_hand, reserved = excluded.reserved, last_movement_id = excluded.last_movement_id
        """;

    /// <summary>Adds movements before the given time to the products' balances. The lock is held until the transaction ends.</summary>
    public static void AddClosing(this NpgsqlBatch writes, Guid[] products, DateTimeOffset before)
    {
        writes.BatchCommands.Add(new(Lock));
        writes.BatchCommands.Add(Close(products, before));
    }

    /// <summary>Rebuilds the product's balances from its whole ledger.</summary>
    public static void AddClosingFromScratch(this NpgsqlBatch writes, Guid product, DateTimeOffset before)
    {
        writes.BatchCommands.Add(new(Lock));
        writes.BatchCommands.Add(new("DELETE FROM stock_balances WHERE product_id = $1") { Parameters = { new() { Value = product } } });
        writes.BatchCommands.Add(Close([product], before));
    }

    private static NpgsqlBatchCommand Close(Guid[] products, DateTimeOffset before) => new(Add)
    {
        Parameters = { new() { Value = products }, new() { Value = DatabaseValues.FirstIdOf(before.ToUnixTimeMilliseconds()) } },
    };
}

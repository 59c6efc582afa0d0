using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Inventory.Data;

internal static class StockGauges
{
    /// <summary>
    /// Adds a gauge of the difference between the stock records: 0 when they agree. It reads all reservations that hold something, so it is
    /// measured rarely. Only the report (GET /api/inventory/reconciliation) checks the ledger.
    /// </summary>
    public static void AddStockGauges(this IHostApplicationBuilder builder) => builder.AddDatabaseGauges(
        "OrderInventory.Inventory", TimeSpan.FromMinutes(5),
        """
        SELECT coalesce(sum(abs(coalesce(l.units, 0) - coalesce(h.units, 0))), 0)::float8
        FROM (SELECT product_id, location, sum(reserved) AS units FROM stock_levels GROUP BY 1, 2) AS l
        FULL JOIN (
            SELECT product_id, location, sum(units) AS units FROM (
                SELECT (line ->> 'productId')::uuid AS product_id, line ->> 'location' AS location, (line ->> 'quantity')::bigint AS units
                FROM reservations CROSS JOIN jsonb_array_elements(lines) AS line WHERE lines <> '[]'
                UNION ALL SELECT product_id, location, quantity FROM hold_lines) AS held
            GROUP BY 1, 2) AS h USING (product_id, location)
        """,
        new DatabaseGauge("inventory.reconciliation.difference", "{unit}", "Units by which the reserved quantity differs from what orders and holds have, summed over products; 0 when the books balance"));
}

using Npgsql;

namespace OrderInventory.Orders.Data;

/// <summary>
/// What people have written into orders: reasons, carriers, tracking numbers. It may name the customer, so it goes with an erased one, as
/// soon as the order is final; until then the people who work on the order need it. So does the subject by which the customer's provider knows them.
/// </summary>
internal static class FreeText
{
    private const string Blank =
        """
        reason = NULL, carrier = NULL, tracking_number = NULL, ship_to = NULL, ship_to_erased = true
        """;

    private const string BlankHistory =
        """
        UPDATE order_history SET data = data - ARRAY['reason', 'carrier', 'trackingNumber'] - CASE data ->> 'role' WHEN 'customer' THEN 'sub' ELSE '' END
        WHERE order_id IN (SELECT id FROM blanked)
        """;

    /// <summary>Blanks those of the orders, all of them final, whose customer is erased.</summary>
    public static NpgsqlBatchCommand BlankOrders(Guid[] orders) => new(
        $"""
        WITH blanked AS (
            UPDATE orders o SET {Blank} FROM customer_copies c
            WHERE o.id = ANY($1) AND c.customer_id = o.customer_id AND c.status = 'erased' RETURNING o.id)
        {BlankHistory}
        """)
    { Parameters = { new() { Value = orders } } };

    /// <summary>Blanks the final ones of the customers' orders.</summary>
    public static NpgsqlBatchCommand BlankCustomers(Guid[] customers) => new(
        $"""
        WITH blanked AS (
            UPDATE orders SET {Blank}
            WHERE customer_id = ANY($1) AND status IN ('rejected', 'expired', 'cancelled', 'delivered') RETURNING id)
        {BlankHistory}
        """)
    { Parameters = { new() { Value = customers } } };
}

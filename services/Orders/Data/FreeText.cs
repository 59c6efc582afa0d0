using Npgsql;

namespace OrderInventory.Orders.Data;

/// <summary>
/// Removes free text from orders: reasons, carriers, tracking numbers. It may name the customer, so it is removed after an erasure, as soon as
/// the order is final; until then staff need it. The subject by which the identity provider knows the customer is removed with it.
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

    /// <summary>Blanks those of the given final orders whose customer is erased.</summary>
    public static NpgsqlBatchCommand BlankOrders(Guid[] orders) => new(
        $"""
        WITH blanked AS (
            UPDATE orders o SET {Blank} FROM customer_copies c
            WHERE o.id = ANY($1) AND c.customer_id = o.customer_id AND c.status = 'erased' RETURNING o.id)
        {BlankHistory}
        """)
    { Parameters = { new() { Value = orders } } };

    /// <summary>Blanks the customers' final orders.</summary>
    public static NpgsqlBatchCommand BlankCustomers(Guid[] customers) => new(
        $"""
        WITH blanked AS (
            UPDATE orders SET {Blank}
            WHERE customer_id = ANY($1) AND status IN ('rejected', 'expired', 'cancelled', 'delivered') RETURNING id)
        {BlankHistory}
        """)
    { Parameters = { new() { Value = customers } } };
}

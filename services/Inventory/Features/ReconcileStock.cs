using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using OrderInventory.Inventory.Clients;
using OrderInventory.Inventory.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// Compares the stock records: ledger, levels, what orders and holds have, and what Orders says its orders should have. It only reports.
/// </summary>
internal static class ReconcileStock
{
    private static readonly Paging s_paging = new("reconciliation");

    /// <param name="Items">In the order of product ids.</param>
    /// <param name="Next">The cursor of the next page, or null.</param>
    /// <param name="Note">Why the values of Orders are null; otherwise null.</param>
    public sealed record Response(IReadOnlyList<Item> Items, string? Next, string? Note);

    /// <param name="ProductId">The product.</param>
    /// <param name="Level">What the levels say, summed over locations.</param>
    /// <param name="Ledger">What the movements add up to.</param>
    /// <param name="Reservations">What the reservations of orders hold.</param>
    /// <param name="Holds">What holds have, including expired holds until they are swept.</param>
    /// <param name="Balanced">
    /// Whether level and ledger agree at every location, and reserved equals what reservations and holds have; with <c>full=true</c> also whether
    /// the closing balances are the sums of their movements.
    /// </param>
    /// <param name="OpenOrders">What Orders says its orders should hold; null when Orders does not answer.</param>
    /// <param name="PendingOrders">Units of orders that wait for Inventory's answer; null when Orders does not answer.</param>
    /// <param name="Difference">
    /// <paramref name="Reservations"/> minus <paramref name="OpenOrders"/>: briefly not 0 while events are in transit.
    /// </param>
    public sealed record Item(
        Guid ProductId, Sums Level, Sums Ledger, long Reservations, long Holds, bool Balanced, long? OpenOrders, long? PendingOrders, long? Difference);

    public sealed record Sums(long OnHand, long Reserved);

    /// <summary>Compare the ledger, the levels, the reservations and Orders</summary>
    /// <remarks>
    /// A page of products in the order of their ids, 20 unless <paramref name="limit"/> says otherwise; <paramref name="productIds"/>, at most
    /// 100, separated by commas, selects products, which are one page. Inventory's own values are of one moment; those of Orders are of a moment
    /// later. From the ledger it reads the closing balances, which cover what is older than a day, and the movements since. With <c>full=true</c>
    /// it sums the whole ledger, and a product whose balances are not the sums of their movements is not balanced: the audit, which takes longer
    /// with every order. Both read all reservations that hold something, so do not call the report every minute.
    /// </remarks>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        string? productIds, bool? full, int? limit, string? cursor, NpgsqlDataSource database, OrdersClient orders, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit ?? (productIds is null ? null : IdList.MaxIds), cursor, out var take, out var after) is { } problem)
        {
            return problem;
        }

        Guid[]? named = null;
        if (productIds is not null && IdList.Read(productIds, "productIds", out named) is { } malformed)
        {
            return malformed;
        }

        var (items, next) = s_paging.ToPage(await ReadAsync(database, named, full ?? false, after, take + 1, cancellationToken), take, item => item.ProductId);
        var open = items.Count == 0 ? [] : await orders.GetOpenLinesAsync([.. items.Select(item => item.ProductId)], cancellationToken);
        if (open is not null)
        {
            items = [.. items.Select(item => item with
            {
                OpenOrders = open.GetValueOrDefault(item.ProductId)?.Quantity ?? 0,
                PendingOrders = open.GetValueOrDefault(item.ProductId)?.PendingQuantity ?? 0,
                Difference = item.Reservations - (open.GetValueOrDefault(item.ProductId)?.Quantity ?? 0),
            })];
        }

        return TypedResults.Ok(new Response(items, next, open is null ? "Orders does not answer; its columns are null." : null));
    }

    // From the levels, the ledger and the balances: the report must also find a product whose levels are lost. One index probe for each product,
    // because the ledger has many rows per product.
    private const string NextProducts =
        """
        walk AS (
            SELECT $1 AS product_id, 0 AS number
            UNION ALL
            SELECT (SELECT product_id FROM (
                (SELECT product_id FROM stock_levels WHERE product_id > w.product_id ORDER BY product_id LIMIT 1)
                UNION ALL (SELECT product_id FROM stock_movements WHERE product_id > w.product_id ORDER BY product_id LIMIT 1)
                UNION ALL (SELECT product_id FROM stock_balances WHERE product_id > w.product_id ORDER BY product_id LIMIT 1)) AS n ORDER BY product_id LIMIT 1), w.number + 1
            FROM walk AS w WHERE w.product_id IS NOT NULL AND w.number < $2),
        products AS (SELECT product_id FROM walk WHERE number > 0)
        """;

    private const string NamedProducts =
        """
        products AS (
            SELECT DISTINCT product_id FROM unnest($3) AS n (product_id)
            WHERE product_id > $1 AND (EXISTS (SELECT FROM stock_levels l WHERE l.product_id = n.product_id)
                OR EXISTS (SELECT FROM stock_movements m WHERE m.product_id = n.product_id)
                OR EXISTS (SELECT FROM stock_balances b WHERE b.product_id = n.product_id))
            ORDER BY product_id LIMIT $2)
        """;

    // LATERAL makes the index find each product's rows, from the cut on, however many products the planner expects.
    private const string ClosedLedger =
        """
        ledger AS (
            SELECT product_id, location, sum(on_hand) AS on_hand, sum(reserved) AS reserved, true AS as_closed
            FROM closed AS c CROSS JOIN LATERAL (
                SELECT location, on_hand, reserved FROM stock_balances b WHERE b.product_id = c.product_id
                UNION ALL
                SELECT location, on_hand_delta, reserved_delta FROM stock_movements m WHERE m.product_id = c.product_id AND m.id > c.cut) AS part
            GROUP BY 1, 2)
        """;

    // Movements up to the cut minus the balances must be zero.
    private const string WholeLedger =
        """
        ledger AS (
            SELECT product_id, location, sum(on_hand) AS on_hand, sum(reserved) AS reserved, sum(closed_on_hand) = 0 AND sum(closed_reserved) = 0 AS as_closed
            FROM closed AS c CROSS JOIN LATERAL (
                SELECT location, on_hand_delta AS on_hand, reserved_delta AS reserved,
                       CASE WHEN m.id <= c.cut THEN on_hand_delta ELSE 0 END AS closed_on_hand, CASE WHEN m.id <= c.cut THEN reserved_delta ELSE 0 END AS closed_reserved
                FROM stock_movements m WHERE m.product_id = c.product_id
                UNION ALL
                SELECT location, 0, 0, -on_hand, -reserved FROM stock_balances b WHERE b.product_id = c.product_id) AS part
            GROUP BY 1, 2)
        """;

    internal static string Sql(bool named, bool full) =>
        $"""
        WITH RECURSIVE {(named ? NamedProducts : NextProducts)},
        level AS (
            SELECT product_id, location, on_hand, reserved FROM stock_levels JOIN products USING (product_id)),
        closed AS (
            SELECT p.product_id, {StockBalances.Cut} AS cut FROM products AS p),
        {(full ? WholeLedger : ClosedLedger)},
        reservation AS (
            SELECT (line ->> 'productId')::uuid AS product_id, line ->> 'location' AS location, sum((line ->> 'quantity')::bigint) AS units
            FROM reservations, jsonb_array_elements(lines) AS line
            WHERE lines <> '[]' AND (line ->> 'productId')::uuid IN (SELECT product_id FROM products) GROUP BY 1, 2),
        hold AS (
            SELECT product_id, location, sum(quantity) AS units FROM hold_lines JOIN products USING (product_id) GROUP BY 1, 2)
        SELECT product_id,
               coalesce(sum(level.on_hand), 0)::bigint, coalesce(sum(level.reserved), 0)::bigint,
               coalesce(sum(ledger.on_hand), 0)::bigint, coalesce(sum(ledger.reserved), 0)::bigint,
               coalesce(sum(reservation.units), 0)::bigint, coalesce(sum(hold.units), 0)::bigint,
               bool_and(coalesce(level.on_hand, 0) = coalesce(ledger.on_hand, 0) AND coalesce(level.reserved, 0) = coalesce(ledger.reserved, 0)
                   AND coalesce(level.reserved, 0) = coalesce(reservation.units, 0) + coalesce(hold.units, 0) AND coalesce(ledger.as_closed, true))
        FROM level FULL JOIN ledger USING (product_id, location) FULL JOIN reservation USING (product_id, location) FULL JOIN hold USING (product_id, location)
        GROUP BY product_id ORDER BY product_id
        """;

    private static async Task<List<Item>> ReadAsync(NpgsqlDataSource database, Guid[]? named, bool full, Guid? after, int take, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Sql(named is not null, full));
        command.Parameters.Add(new() { Value = after ?? Guid.Empty });
        command.Parameters.Add(new() { Value = take });
        if (named is not null)
        {
            command.Parameters.Add(new() { Value = named });
        }

        var items = new List<Item>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            items.Add(new(
                reader.GetGuid(0), new(reader.GetInt64(1), reader.GetInt64(2)), new(reader.GetInt64(3), reader.GetInt64(4)),
                reader.GetInt64(5), reader.GetInt64(6), reader.GetBoolean(7), null, null, null));
        }

        return items;
    }
}

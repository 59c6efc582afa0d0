using Npgsql;

namespace OrderInventory.Inventory.Data;

/// <summary>
/// What could be reserved now, from the database and never from a cache: the available units at active locations, and the units of holds that are
/// due but not yet ended by the sweeper.
/// </summary>
internal static class AvailableStock
{
    private const string Free =
        """
        SELECT s.product_id, NULL::uuid AS owner, s.available AS units FROM stock_levels s JOIN locations l ON l.code = s.location AND l.active
        WHERE s.product_id = ANY($1)
        UNION ALL
        SELECT h.product_id, NULL, h.quantity FROM holds JOIN hold_lines h ON h.hold_id = holds.id JOIN locations l ON l.code = h.location AND l.active
        WHERE holds.status = 'live' AND holds.expires_at <= now() AND h.product_id = ANY($1)
        """;

    private const string Plain = $"SELECT product_id, NULL::uuid, sum(units)::bigint FROM ({Free}) AS s GROUP BY product_id";

    private const string Own =
        $"""
         SELECT product_id, owner, sum(units)::bigint FROM (
             {Free}
             UNION ALL
             SELECT (line ->> 'productId')::uuid, order_id, (line ->> 'quantity')::bigint
             FROM reservations, jsonb_array_elements(lines) AS line WHERE order_id = ANY($2)
             UNION ALL
             SELECT h.product_id, holds.id, h.quantity FROM holds JOIN hold_lines h ON h.hold_id = holds.id
             WHERE holds.status = 'live' AND holds.expires_at > now() AND EXISTS (
                 SELECT FROM unnest($3, $4) AS asked (id, customer) WHERE asked.id = holds.id
                     AND (holds.customer_id IS NULL OR asked.customer IS NULL OR asked.customer = holds.customer_id))
                 AND holds.id = ANY($3)) AS s
         GROUP BY product_id, owner
         """;

    /// <summary>
    /// Reads the free units of each product, and the units that the given orders and holds have. One statement, so all numbers are of the same
    /// moment.
    /// </summary>
    /// <param name="database">The database.</param>
    /// <param name="products">The products.</param>
    /// <param name="orders">Orders whose own reservations count as available to them.</param>
    /// <param name="holds">
    /// Holds that count as available while they are live, each only to the customer next to it; null stands for a caller who may use any hold.
    /// </param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public static async Task<Units> ReadAsync(
        NpgsqlDataSource database, Guid[] products, Guid[] orders, (Guid Id, Guid? Customer)[] holds, CancellationToken cancellationToken)
    {
        var plain = orders.Length == 0 && holds.Length == 0;
        await using var command = database.CreateCommand(plain ? Plain : Own);
        command.Parameters.Add(new() { Value = products });
        if (!plain)
        {
            command.Parameters.Add(new() { Value = orders });
            command.Parameters.Add(new() { Value = Array.ConvertAll(holds, hold => hold.Id) });
            command.Parameters.Add(new() { Value = Array.ConvertAll(holds, hold => hold.Customer) });
        }

        var units = new Units();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            units.Add(reader.GetGuid(0), reader.IsDBNull(1) ? Guid.Empty : reader.GetGuid(1), reader.GetInt64(2));
        }

        return units;
    }

    /// <summary>Units by product and owner; free units have no owner.</summary>
    internal sealed class Units
    {
        private readonly Dictionary<(Guid Product, Guid Owner), long> _units = [];

        public void Add(Guid product, Guid owner, long units) => _units[(product, owner)] = units;

        /// <summary>The units of the product that a caller with this order and this hold could get.</summary>
        public long For(Guid product, Guid? orderId, Guid? holdId) =>
            Of(product, Guid.Empty) + (orderId is { } order ? Of(product, order) : 0) + (holdId is { } hold ? Of(product, hold) : 0);

        private long Of(Guid product, Guid owner) => _units.GetValueOrDefault((product, owner));
    }
}

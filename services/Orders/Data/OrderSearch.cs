using System.Globalization;
using Npgsql;
using OrderInventory.Contracts.Orders;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Orders.Data;

/// <summary>Which orders to find; a null member does not filter.</summary>
/// <param name="CustomerId">Of this customer.</param>
/// <param name="ProductId">With a line of this product.</param>
/// <param name="Statuses">In one of these states.</param>
/// <param name="PlacedFrom">Placed then or later.</param>
/// <param name="PlacedTo">Placed before.</param>
/// <param name="After">The last order of the previous page.</param>
/// <param name="OldestFirst">Whether the ids, by which the list is sorted, ascend.</param>
internal sealed record OrderFilter(
    Guid? CustomerId, Guid? ProductId, OrderStatus[]? Statuses, DateTimeOffset? PlacedFrom, DateTimeOffset? PlacedTo, Guid? After, bool OldestFirst)
{
    /// <summary>Only these orders.</summary>
    public Guid[]? Among { get; init; }
}

/// <summary>What a search text may mean. An order that matches any of the meanings is found.</summary>
/// <param name="Text">As it was typed: a tracking number, or the beginning of a SKU.</param>
/// <param name="Ids">The first and last order id that begin with the text; null when no id can begin with it.</param>
/// <param name="Customers">The customers that Customers finds for the text.</param>
internal sealed record OrderText(string Text, (Guid First, Guid Last)? Ids, Guid[] Customers);

/// <summary>
/// Finds orders. Each meaning of a text is a scan of an index that ends when the page is full, so a common text costs as much as a rare one.
/// For one query with OR the planner, which does not see the values, would read all orders.
/// </summary>
internal sealed class OrderSearch(NpgsqlDataSource database)
{
    /// <summary>Maximum number of products that the beginning of a SKU matches: the first ones by SKU.</summary>
    public const int MaxProducts = 20;

    /// <summary>Ids of up to <paramref name="limit"/> orders, in the order of the list.</summary>
    public async Task<List<Guid>> FindAsync(OrderFilter filter, OrderText? text, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand();
        var direction = filter.OldestFirst ? "ASC" : "DESC";
        var newest = $"ORDER BY id {direction} LIMIT {command.Add(limit)}";
        if (text is null && filter is { Statuses: { } statuses, CustomerId: null, ProductId: null, Among: null })
        {
            // One index scan per status: a single scan for all of them would read all other orders when few orders match.
            command.CommandText =
                $"""
                SELECT f.id FROM unnest({command.Add(statuses.Select(StatusNames.Format).ToArray())}) AS s (status)
                CROSS JOIN LATERAL (SELECT o.id FROM orders o WHERE o.status = s.status AND {Conditions(command, filter with { Statuses = null }, "o.id")} {newest}) AS f
                {newest}
                """;
        }
        else if (text is null)
        {
            command.CommandText = $"SELECT o.id FROM orders o WHERE {Conditions(command, filter, "o.id")} {newest}";
        }
        else
        {
            var typed = command.Add(text.Text);
            var ofOrder = Conditions(command, filter, "o.id");
            List<string> ways =
            [
                $"""
                SELECT f.id FROM (SELECT product_id FROM product_copies
                    WHERE lower(sku) COLLATE "C" >= lower({typed}) AND lower(sku) COLLATE "C" < lower({typed}) || U&'\+10FFFF'
                    ORDER BY lower(sku) COLLATE "C" LIMIT {MaxProducts.ToString(CultureInfo.InvariantCulture)}) AS p
                CROSS JOIN LATERAL (SELECT DISTINCT l.order_id AS id FROM order_lines l JOIN orders o ON o.id = l.order_id
                    WHERE l.product_id = p.product_id AND {Conditions(command, filter, "l.order_id")} {newest}) AS f
                """,
                $"SELECT o.id FROM orders o WHERE o.tracking_number IS NOT NULL AND lower(o.tracking_number) = lower({typed}) AND {ofOrder}",
            ];
            if (text.Customers.Length > 0)
            {
                ways.Add(
                    $"""
                    SELECT f.id FROM unnest({command.Add(text.Customers)}) AS c (id)
                    CROSS JOIN LATERAL (SELECT o.id FROM orders o WHERE o.customer_id = c.id AND {ofOrder} {newest}) AS f
                    """);
            }

            if (text.Ids is var (first, last))
            {
                ways.Add($"SELECT id FROM (SELECT o.id FROM orders o WHERE o.id BETWEEN {command.Add(first)} AND {command.Add(last)} AND {ofOrder} {newest}) AS i");
            }

            command.CommandText = $"SELECT id FROM ({string.Join(" UNION ", ways)}) AS found {newest}";
        }

        var ids = new List<Guid>(limit);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            ids.Add(reader.GetGuid(0));
        }

        return ids;
    }

    /// <param name="command">Receives the values.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="id">The column whose index is scanned: the bounds of the scan must be conditions on it.</param>
    private static string Conditions(NpgsqlCommand command, OrderFilter filter, string id)
    {
        var conditions = new List<string> { "true" };
        if (filter.CustomerId is { } customer)
        {
            conditions.Add($"o.customer_id = {command.Add(customer)}");
        }

        if (filter.ProductId is { } product)
        {
            conditions.Add($"EXISTS (SELECT FROM order_lines w WHERE w.order_id = {id} AND w.product_id = {command.Add(product)})");
        }

        if (filter.Statuses is { } statuses)
        {
            conditions.Add($"o.status = ANY({command.Add(statuses.Select(StatusNames.Format).ToArray())})");
        }

        if (filter.PlacedFrom is { } from)
        {
            // An id begins with the time of placement, so a bound on the primary key, by which the list is sorted, ends the scan.
            conditions.Add($"o.placed_at >= {command.Add(from.UtcDateTime)} AND {id} >= {command.Add(DatabaseValues.FirstIdOf(from.ToUnixTimeMilliseconds()))}");
        }

        if (filter.PlacedTo is { } to)
        {
            // Ids have whole milliseconds: an id of the last millisecond may belong to an order placed before the end.
            conditions.Add($"o.placed_at < {command.Add(to.UtcDateTime)} AND {id} < {command.Add(DatabaseValues.FirstIdOf(to.ToUnixTimeMilliseconds() + 1))}");
        }

        if (filter.After is { } after)
        {
            conditions.Add($"{id} {(filter.OldestFirst ? ">" : "<")} {command.Add(after)}");
        }

        if (filter.Among is { } among)
        {
            conditions.Add($"{id} = ANY({command.Add(among)})");
        }

        return string.Join(" AND ", conditions);
    }
}

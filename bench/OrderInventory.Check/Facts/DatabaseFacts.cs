using System.Text.Json;
using Npgsql;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Facts;

/// <summary>Reads the services' databases.</summary>
internal static class DatabaseFacts
{

    /// <param name="databases">A connection string for each service.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<SystemFacts> ReadAsync(IReadOnlyDictionary<string, string> databases, CancellationToken cancellationToken)
    {
        var (orders, inventory, notifications) = (databases["orders"], databases["inventory"], databases["notifications"]);
        var lines = (await QueryAsync(orders, "SELECT order_id, product_id, quantity FROM order_lines ORDER BY order_id, line_no", row => (row.GetGuid(0), Line: new Line(row.GetGuid(1), row.GetInt32(2))), cancellationToken))
            .ToLookup(line => line.Item1, line => line.Line);
        var held = (await QueryAsync(inventory, "SELECT hold_id, product_id, location, quantity FROM hold_lines", row => (row.GetGuid(0), Line: new StoredLine(row.GetGuid(1), row.GetString(2), row.GetInt64(3))), cancellationToken))
            .ToLookup(line => line.Item1, line => line.Line);
        var facts = new SystemFacts
        {
            Orders = await QueryAsync(
                orders, "SELECT id, customer_id, status, version, hold_id, coalesce(returns, '[]'), rejection ->> 'code' FROM orders",
                row =>
                {
                    var returns = JsonDocument.Parse(row.GetString(5)).RootElement.EnumerateArray().ToList();
                    return new OrderFact(
                        row.GetGuid(0), row.GetGuid(1), row.GetString(2), row.GetInt64(3), [.. lines[row.GetGuid(0)]], row.IsDBNull(4) ? null : row.GetGuid(4),
                        [.. returns.SelectMany(returned => Lines(returned.GetProperty("lines")))], returns.Count, row.IsDBNull(6) ? null : row.GetString(6));
                },
                cancellationToken),
            OrderKeys = await QueryAsync(
                orders, "SELECT k.key, k.resource_id FROM idempotency_keys k WHERE k.caller NOT LIKE '%returns of %'", row => new KeyFact(row.GetString(0), row.GetGuid(1)), cancellationToken),
            Reservations = await QueryAsync(
                inventory, "SELECT order_id, order_version, outcome, lines, coalesce(shipped, '[]') FROM reservations",
                row => new ReservationFact(row.GetGuid(0), row.GetInt64(1), row.GetString(2), Stored(row.GetString(3)), Stored(row.GetString(4))), cancellationToken),
            Levels = await QueryAsync(
                inventory, "SELECT product_id, location, on_hand, reserved, version FROM stock_levels",
                row => new LevelFact(row.GetGuid(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)), cancellationToken),
            Movements = await QueryAsync(
                inventory,
                "SELECT product_id, id, location, kind, on_hand_delta, reserved_delta, order_id, hold_id, event_id, reference FROM stock_movements ORDER BY product_id, id",
                row => new MovementFact(
                    row.GetGuid(0), row.GetGuid(1), row.GetString(2), row.GetString(3), row.GetInt64(4), row.GetInt64(5), Id(row, 6), Id(row, 7), Id(row, 8), row.IsDBNull(9) ? null : row.GetString(9)),
                cancellationToken),
            Holds = await QueryAsync(
                inventory, "SELECT id, status, order_id, lines FROM holds",
                row => new HoldFact(row.GetGuid(0), row.GetString(1), Id(row, 2), Lines(JsonDocument.Parse(row.GetString(3)).RootElement), [.. held[row.GetGuid(0)]]), cancellationToken),
            Notifications = await QueryAsync(
                notifications, "SELECT id, event_id, template, channel, recipient_ref, order_id, status FROM notifications",
                row => new NotificationFact(row.GetGuid(0), row.GetGuid(1), row.GetString(2), row.GetString(3), row.GetString(4), Id(row, 5), row.GetString(6)), cancellationToken),
        };
        var inbox = new List<InboxFact>();
        var (deadLetters, outbox) = (new List<DeadLetterFact>(), new List<OutboxFact>());
        foreach (var service in ConsumerGroup.Names)
        {
            inbox.AddRange(await QueryAsync(databases[service], "SELECT id FROM inbox_messages", row => new InboxFact(service, row.GetGuid(0)), cancellationToken));
            deadLetters.AddRange(await QueryAsync(
                databases[service], "SELECT id, topic, event_id, reason FROM dead_letters",
                row => new DeadLetterFact(service, row.GetGuid(0), row.GetString(1), Id(row, 2)?.ToString(), row.GetString(3)), cancellationToken));
        }

        foreach (var (service, database) in databases)
        {
            outbox.AddRange(await QueryAsync(
                database, "SELECT id, topic, key FROM outbox_messages", row => new OutboxFact(service, row.GetGuid(0), row.GetString(1), row.GetString(2)), cancellationToken));
        }

        return facts with { Inbox = inbox, DeadLetters = deadLetters, Outbox = outbox };
    }

    public static async Task<List<T>> QueryAsync<T>(string database, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false, Timeout = 10, CommandTimeout = 120, ApplicationName = "check" }.ToString());
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    private static Guid? Id(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetGuid(column);

    private static IReadOnlyList<StoredLine> Stored(string json) =>
        [.. JsonDocument.Parse(json).RootElement.EnumerateArray().Select(line => new StoredLine(line.GetProperty("productId").GetGuid(), line.GetProperty("location").GetString()!, line.GetProperty("quantity").GetInt64()))];

    /// <summary>Lines of an order, a hold or a return: an array of objects, or an object of quantities by product.</summary>
    internal static IReadOnlyList<Line> Lines(JsonElement json) => json.ValueKind == JsonValueKind.Object
        ? [.. json.EnumerateObject().Select(line => new Line(Guid.Parse(line.Name), line.Value.GetInt64()))]
        : [.. json.EnumerateArray().Select(line => new Line(line.GetProperty("productId").GetGuid(), line.GetProperty("quantity").GetInt64()))];
}

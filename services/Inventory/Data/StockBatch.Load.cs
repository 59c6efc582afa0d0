using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Inventory.Data;

/// <summary>Which rows a transaction is about.</summary>
/// <param name="Orders">Orders whose reservations are decided on.</param>
/// <param name="Products">Products whose stock is.</param>
/// <param name="Holds">Holds that may be taken; the products that they hold are locked too.</param>
/// <param name="KeepLocations">
/// True for whoever may make stock at a location: none is deleted until the transaction ends. Of an order only a return
/// does; otherwise orders and holds take what is there.
/// </param>
internal sealed record StockScope(Guid[] Orders, Guid[] Products, Guid[] Holds, bool KeepLocations = false);

/// <content>How the rows are locked and read.</content>
internal sealed partial class StockBatch
{
    // The look at the holds is one probe of an index over live holds by the end of their time, which the sweeper keeps nearly empty below now.
    private const string SelectLocations =
        "SELECT code, priority, active, (SELECT EXISTS (SELECT FROM holds WHERE status = 'live' AND expires_at <= now())) FROM locations";

    /// <summary>Locks and reads, in one round trip.</summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="scope">What to lock.</param>
    /// <param name="policy">From which locations orders are served.</param>
    /// <param name="time">Asked once everything is locked: a time from before would be earlier than what the last owner of the locks has written.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<StockBatch> LoadAsync(
        NpgsqlConnection connection, StockScope scope, AllocationPolicy policy, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var select = new NpgsqlBatch(connection);
        select.BatchCommands.Add(new(scope.KeepLocations ? SelectLocations + " ORDER BY code FOR KEY SHARE" : SelectLocations));
        select.BatchCommands.Add(new(
            """
            SELECT order_id, order_version, outcome, lines, shortages, decided_at, shipped, returned_versions
            FROM reservations WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE
            """)
        { Parameters = { new() { Value = scope.Orders } } });
        AddLevels(select, scope);
        if (scope.Holds.Length > 0)
        {
            AddHolds(select, scope);
        }

        await using var reader = await select.ExecuteReaderAsync(cancellationToken);
        var (locations, due) = await ReadLocationsAsync(reader, cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var reservations = await ReadReservationsAsync(reader, cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var items = await ReadItemsAsync(reader, locations, cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var levels = reader.GetInt64(0);
        var holds = scope.Holds.Length == 0 ? [] : await ReadHoldsAsync(reader, cancellationToken);
        await reader.CloseAsync();
        var locked = holds.Count == 0 ? [] : items.Select(item => item.ProductId).ToHashSet();
        var notLocked = holds.SelectMany(hold => hold.Lines).Select(line => line.ProductId).Where(product => !locked.Contains(product)).ToArray();
        if (levels != items.Count || (notLocked.Length > 0 && await HaveStockAsync(connection, notLocked, cancellationToken)))
        {
            // A product got a level at another location, or a hold other products, after the look and before the locks. Whoever runs the
            // transaction repeats it.
            throw DatabaseValues.Changed("Stock has changed while it was being locked.");
        }

        return new(time.GetStorableNow(), items, reservations, holds, locations) { Policy = policy, HasDueHolds = due };
    }

    /// <summary>
    /// Gives back the units of these products that are in holds whose time is over: before anything is found short, for the sweeper may not
    /// have come yet. The holds themselves are left to it; they have a part less to give back.
    /// </summary>
    public async Task ExpireDueHoldsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        HasDueHolds = false;
        var lines = new List<(Guid Hold, ReservedLine Line)>();
        // A hold that is extended at this moment is waited for, and looked at again. The products are locked, so their lines stand still.
        await using (var select = new NpgsqlCommand(
            """
            SELECT l.hold_id, l.product_id, l.location, l.quantity
            FROM holds h JOIN hold_lines l ON l.hold_id = h.id
            WHERE h.status = 'live' AND h.expires_at <= now() AND l.product_id = ANY($1)
            ORDER BY h.id FOR UPDATE OF h
            """,
            connection)
        { Parameters = { new() { Value = _products.Keys.ToArray() } } })
        {
            await using var reader = await select.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                lines.Add((reader.GetGuid(0), new(reader.GetGuid(1), reader.GetString(2), reader.GetInt64(3))));
            }
        }

        var released = new List<(Guid Hold, ReservedLine Line)>();
        foreach (var (hold, line) in lines)
        {
            // Books that do not add up must not stop whoever comes by; the sweeper tells the operator.
            if (FindUnreleasable([line]) is null)
            {
                Release([line], MovementKind.HoldExpired, null, null, hold);
                released.Add((hold, line));
            }
        }

        await using var delete = new NpgsqlCommand(
            "DELETE FROM hold_lines l USING unnest($1, $2, $3) AS r (hold_id, product_id, location) WHERE (l.hold_id, l.product_id, l.location) = (r.hold_id, r.product_id, r.location)",
            connection)
        {
            Parameters =
            {
                OutboxSql.Array(released, r => r.Hold, NpgsqlDbType.Uuid),
                OutboxSql.Array(released, r => r.Line.ProductId, NpgsqlDbType.Uuid),
                OutboxSql.Array(released, r => r.Line.Location, NpgsqlDbType.Text),
            },
        };
        await delete.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Locks the levels, and counts them once more: while the first statement waits for a row, its owner may give the product a level at
    /// another location, which only a later statement can see. From then on every row of these products stands still, for whoever makes
    /// one locks those that there are.
    /// </summary>
    private static void AddLevels(NpgsqlBatch select, StockScope scope)
    {
        var wanted = scope.Holds.Length == 0 ? "$1" : "$1 || ARRAY(SELECT product_id FROM hold_lines WHERE hold_id = ANY($2))";
        foreach (var sql in new[]
        {
            $"SELECT product_id, location, on_hand, reserved, low_stock_threshold, version, updated_at, removed FROM stock_levels WHERE product_id = ANY({wanted}) ORDER BY product_id, location FOR UPDATE",
            $"SELECT count(*) FROM stock_levels WHERE product_id = ANY({wanted})",
        })
        {
            var command = new NpgsqlBatchCommand(sql) { Parameters = { new() { Value = scope.Products } } };
            if (scope.Holds.Length > 0)
            {
                command.Parameters.Add(new() { Value = scope.Holds });
            }

            select.BatchCommands.Add(command);
        }
    }

    private static void AddHolds(NpgsqlBatch select, StockScope scope)
    {
        select.BatchCommands.Add(new("SELECT id, status, expires_at <= now(), version FROM holds WHERE id = ANY($1) ORDER BY id FOR UPDATE")
        { Parameters = { new() { Value = scope.Holds } } });
        select.BatchCommands.Add(new("SELECT hold_id, product_id, location, quantity FROM hold_lines WHERE hold_id = ANY($1) ORDER BY hold_id, product_id, location")
        { Parameters = { new() { Value = scope.Holds } } });
    }

    /// <summary>A held product without any level is a broken book. There is nothing to lock then, and no repeat would find it.</summary>
    private static async Task<bool> HaveStockAsync(NpgsqlConnection connection, Guid[] products, CancellationToken cancellationToken)
    {
        await using var exists = new NpgsqlCommand("SELECT EXISTS (SELECT FROM stock_levels WHERE product_id = ANY($1))", connection)
        {
            Parameters = { new() { Value = products } },
        };
        return (bool)(await exists.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task<(Dictionary<string, LocationRank> Locations, bool HoldsAreDue)> ReadLocationsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var locations = new Dictionary<string, LocationRank>();
        var due = false;
        while (await reader.ReadAsync(cancellationToken))
        {
            locations.Add(reader.GetString(0), new(reader.GetInt32(1), reader.GetBoolean(2)));
            due = reader.GetBoolean(3);
        }

        return (locations, due);
    }

    private static async Task<List<Reservation>> ReadReservationsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var reservations = new List<Reservation>();
        while (await reader.ReadAsync(cancellationToken))
        {
            reservations.Add(new(
                reader.GetGuid(0), reader.GetInt64(1), Outcomes.Parse(reader.GetString(2)), Lines(reader.GetString(3)),
                JsonSerializer.Deserialize(reader.GetString(4), InventoryJson.Default.IReadOnlyListShortage)!,
                reader.GetFieldValue<DateTimeOffset>(5),
                reader.IsDBNull(6) ? [] : Lines(reader.GetString(6)),
                reader.IsDBNull(7) ? [] : JsonSerializer.Deserialize(reader.GetString(7), InventoryJson.Default.IReadOnlyListInt64)!));
        }

        return reservations;
    }

    private static async Task<List<StockItem>> ReadItemsAsync(
        NpgsqlDataReader reader, Dictionary<string, LocationRank> locations, CancellationToken cancellationToken)
    {
        var items = new List<StockItem>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var location = reader.GetString(1);
            var rank = locations.GetValueOrDefault(location);
            items.Add(new(reader.GetGuid(0), location, reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), reader.GetInt64(5))
            {
                Priority = rank?.Priority ?? 0,
                Active = rank?.Active ?? false,
                UpdatedAt = reader.GetFieldValue<DateTimeOffset>(6),
                IsRemoved = reader.GetBoolean(7),
            });
        }

        return items;
    }

    private static async Task<List<Hold>> ReadHoldsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var rows = new List<(Guid Id, HoldStatus Status, bool IsDue, long Version)>();
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add((reader.GetGuid(0), Outcomes.ParseHold(reader.GetString(1)), reader.GetBoolean(2), reader.GetInt64(3)));
        }

        var lines = new List<(Guid Hold, ReservedLine Line)>();
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            lines.Add((reader.GetGuid(0), new(reader.GetGuid(1), reader.GetString(2), reader.GetInt64(3))));
        }

        return [.. rows.Select(row => new Hold(row.Id, row.Status, row.IsDue, row.Version, [.. lines.Where(l => l.Hold == row.Id).Select(l => l.Line)]))];
    }

    private static IReadOnlyList<ReservedLine> Lines(string json) => JsonSerializer.Deserialize(json, InventoryJson.Default.IReadOnlyListReservedLine)!;
}

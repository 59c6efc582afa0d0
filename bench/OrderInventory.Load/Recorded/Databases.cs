using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Load.Setup;

namespace OrderInventory.Load.Recorded;

/// <summary>An order's row. Times are from the clock of the Orders service.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Version">2 when only its first outcome has changed it.</param>
/// <param name="PlacedAt">When Orders had decided to accept it.</param>
/// <param name="UpdatedAt">When Orders had read the order to change it, before it wrote.</param>
/// <param name="CommittedAt">When the transaction that wrote this version committed; null when PostgreSQL does not keep that time.</param>
internal readonly record struct OrderRow(string Status, long Version, DateTimeOffset PlacedAt, DateTimeOffset UpdatedAt, DateTimeOffset? CommittedAt);

/// <summary>
/// Reads what the services have written from their databases. Nothing here is read while orders are being placed.
/// </summary>
internal sealed class Databases(Endpoints endpoints) : IAsyncDisposable
{
    private static readonly TimeSpan s_copiesTimeout = TimeSpan.FromSeconds(60);

    private readonly NpgsqlDataSource _orders = Open(endpoints, "orders");
    private readonly NpgsqlDataSource _inventory = Open(endpoints, "inventory");
    private readonly NpgsqlDataSource _notifications = Open(endpoints, "notifications");

    /// <summary>Waits until Orders has local copies of all products and customers of the catalogue.</summary>
    /// <param name="catalogue">What was created.</param>
    /// <param name="looked">Called at each check with the number of copies.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="LoadException">A minute has passed.</exception>
    public async Task WaitForCopiesAsync(Catalogue catalogue, Action<long> looked, CancellationToken cancellationToken)
    {
        var (wanted, start) = (catalogue.Products.Count + catalogue.Customers.Count, Stopwatch.GetTimestamp());
        while (true)
        {
            var known = await CountCopiesAsync(catalogue, cancellationToken);
            looked(known);
            if (known == wanted)
            {
                return;
            }

            if (Stopwatch.GetElapsedTime(start) > s_copiesTimeout)
            {
                throw new LoadException($"After {s_copiesTimeout.TotalSeconds:F0} s Orders has only {known} of {wanted} products and customers: do their events arrive?");
            }

            await Task.Delay(200, cancellationToken);
        }
    }

    private async Task<long> CountCopiesAsync(Catalogue catalogue, CancellationToken cancellationToken)
    {
        await using var command = _orders.CreateCommand(
            """
            SELECT (SELECT count(*) FROM product_copies WHERE product_id = ANY($1))
                 + (SELECT count(*) FROM customer_copies WHERE customer_id = ANY($2))
            """);
        command.Parameters.Add(new() { Value = catalogue.Products.ToArray() });
        command.Parameters.Add(new() { Value = catalogue.Customers.ToArray() });
        return (long)(await ScalarAsync(command, cancellationToken))!;
    }

    /// <summary>Whether an order placed since then still waits for its first outcome. The partial index on waiting orders makes this cheap.</summary>
    public async Task<bool> AnyPendingAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var command = _orders.CreateCommand("SELECT EXISTS (SELECT FROM orders WHERE status = 'pending' AND placed_at >= $1)");
        command.Parameters.Add(new() { Value = since.UtcDateTime });
        return (bool)(await ScalarAsync(command, cancellationToken))!;
    }

    /// <summary>The rows of these orders; an order without a row is missing from the result.</summary>
    public async Task<Dictionary<Guid, OrderRow>> ReadOrdersAsync(Guid[] ids, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<Guid, OrderRow>(ids.Length);
        await foreach (var reader in ReadByIdAsync(
            _orders, ids,
            """
            SELECT o.id, o.status, o.version, o.placed_at, o.updated_at,
                CASE current_setting('track_commit_timestamp') WHEN 'on' THEN pg_xact_commit_timestamp(o.xmin) END
            FROM wanted JOIN orders o USING (id)
            """,
            cancellationToken))
        {
            rows[reader.GetGuid(0)] = new(
                reader.GetString(1), reader.GetInt64(2), reader.GetFieldValue<DateTimeOffset>(3), reader.GetFieldValue<DateTimeOffset>(4),
                await reader.IsDBNullAsync(5, cancellationToken) ? null : reader.GetFieldValue<DateTimeOffset>(5));
        }

        return rows;
    }

    /// <summary>
    /// When both notifications of each order, of its placement and of its outcome, were recorded. Orders that lack one are not in the result.
    /// <c>created_at</c> is the database's clock at the start of the transaction that recorded the notification.
    /// </summary>
    public async Task<Dictionary<Guid, DateTimeOffset>> ReadNotifiedAsync(Guid[] ids, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<Guid, DateTimeOffset>(ids.Length);
        await foreach (var reader in ReadByIdAsync(
            _notifications, ids,
            """
            SELECT n.order_id, max(n.created_at)
            FROM wanted JOIN notifications n ON n.order_id = wanted.id
            GROUP BY n.order_id
            HAVING bool_or(n.event_type LIKE 'order.created%') AND bool_or(n.event_type LIKE 'order.updated%')
            """,
            cancellationToken))
        {
            rows[reader.GetGuid(0)] = reader.GetFieldValue<DateTimeOffset>(1);
        }

        return rows;
    }

    public async Task<long> CountOrdersAsync(CancellationToken cancellationToken)
    {
        await using var command = _orders.CreateCommand("SELECT count(*) FROM orders");
        return (long)(await ScalarAsync(command, cancellationToken))!;
    }

    /// <summary>A sample of orders of any age, and when the oldest of all orders was placed.</summary>
    public async Task<(Guid[] Ids, DateTimeOffset Oldest)> SampleOrdersAsync(int number, CancellationToken cancellationToken)
    {
        await using var command = _orders.CreateCommand(
            "SELECT (SELECT min(placed_at) FROM orders), ARRAY(SELECT id FROM orders ORDER BY hashtext(id::text) LIMIT $1)");
        command.Parameters.Add(new() { Value = number });
        await using var reader = await ReadAsync(command, cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetFieldValue<Guid[]>(1), reader.GetFieldValue<DateTimeOffset>(0));
    }

    /// <summary>The size of the databases of Orders, Inventory and Notifications, in bytes.</summary>
    public async Task<long> SizeAsync(CancellationToken cancellationToken)
    {
        var sum = 0L;
        foreach (var database in (NpgsqlDataSource[])[_orders, _inventory, _notifications])
        {
            await using var command = database.CreateCommand("SELECT pg_database_size(current_database())");
            sum += (long)(await ScalarAsync(command, cancellationToken))!;
        }

        return sum;
    }

    /// <summary>
    /// Waits until no mail is pending. Mails are sent much more slowly than orders are placed: those still pending at the timeout are given up, so
    /// that each run begins with nothing to send.
    /// </summary>
    /// <returns>The number of mails that were given up.</returns>
    public async Task<long> SettleMailsAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        await using var pending = _notifications.CreateCommand("SELECT EXISTS (SELECT FROM notifications WHERE status = 'pending')");
        while (Stopwatch.GetElapsedTime(start) < timeout && (bool)(await ScalarAsync(pending, cancellationToken))!)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(250), cancellationToken);
        }

        // Mails that a sender has leased are sent soon.
        var givenUp = await ExecuteAsync(
            _notifications,
            "UPDATE notifications SET status = 'failed', last_error = 'Given up by the load driver.' WHERE status = 'pending' AND (lease_until IS NULL OR lease_until < now())",
            cancellationToken);
        await ExecuteAsync(_notifications, "VACUUM ANALYZE notifications", cancellationToken);
        return givenUp;
    }

    /// <summary>
    /// Products that violate a stock rule: more reserved than on hand, or reserved is not the sum of the reservations. One statement, so one
    /// snapshot.
    /// </summary>
    public async Task<(long Oversold, long Unequal)> CheckStockAsync(CancellationToken cancellationToken)
    {
        await using var command = _inventory.CreateCommand(
            """
            WITH levels AS (
                SELECT product_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM stock_levels GROUP BY product_id),
            held AS (
                SELECT (line ->> 'productId')::uuid AS product_id, sum((line ->> 'quantity')::bigint) AS reserved
                FROM reservations CROSS JOIN jsonb_array_elements(lines) AS line GROUP BY 1)
            SELECT count(*) FILTER (WHERE coalesce(l.reserved, 0) > coalesce(l.on_hand, 0) OR l.reserved < 0),
                   count(*) FILTER (WHERE coalesce(l.reserved, 0) <> coalesce(h.reserved, 0))
            FROM levels l FULL JOIN held h USING (product_id)
            """);
        command.CommandTimeout = 120;
        await using var reader = await ReadAsync(command, cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    public async ValueTask DisposeAsync()
    {
        await _orders.DisposeAsync();
        await _inventory.DisposeAsync();
        await _notifications.DisposeAsync();
    }

    /// <summary>The ids go into a temporary table: the planner could only guess with a hundred thousand of them in an array.</summary>
    private static async IAsyncEnumerable<NpgsqlDataReader> ReadByIdAsync(
        NpgsqlDataSource database, Guid[] ids, string sql, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(database, cancellationToken);
        await using (var create = new NpgsqlCommand("CREATE TEMP TABLE wanted (id uuid PRIMARY KEY)", connection))
        {
            await create.ExecuteNonQueryAsync(cancellationToken);
        }

        await using (var copy = await connection.BeginBinaryImportAsync("COPY wanted (id) FROM STDIN (FORMAT binary)", cancellationToken))
        {
            foreach (var id in ids)
            {
                await copy.StartRowAsync(cancellationToken);
                await copy.WriteAsync(id, NpgsqlDbType.Uuid, cancellationToken);
            }

            await copy.CompleteAsync(cancellationToken);
        }

        await using (var analyze = new NpgsqlCommand("ANALYZE wanted", connection))
        {
            await analyze.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var select = new NpgsqlCommand(sql, connection);
        await using var reader = await ReadAsync(select, cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            yield return reader;
        }
    }

    private static NpgsqlDataSource Open(Endpoints endpoints, string name)
    {
        // Not pooled, so that the temporary table ends with its connection.
        var connection = new NpgsqlConnectionStringBuilder(endpoints.Database(name)) { Pooling = false, Timeout = 10, CommandTimeout = 60, ApplicationName = "load" };
        return NpgsqlDataSource.Create(connection);
    }

    private static async Task<long> ExecuteAsync(NpgsqlDataSource database, string sql, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        command.CommandTimeout = 3600;
        return await ExplainAsync(() => command.ExecuteNonQueryAsync(cancellationToken));
    }

    private static Task<NpgsqlConnection> ConnectAsync(NpgsqlDataSource database, CancellationToken cancellationToken) =>
        ExplainAsync(async () => await database.OpenConnectionAsync(cancellationToken));

    private static Task<NpgsqlDataReader> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken) =>
        ExplainAsync(() => command.ExecuteReaderAsync(cancellationToken));

    private static Task<object?> ScalarAsync(NpgsqlCommand command, CancellationToken cancellationToken) =>
        ExplainAsync(() => command.ExecuteScalarAsync(cancellationToken));

    private static async Task<T> ExplainAsync<T>(Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (NpgsqlException problem)
        {
            throw new LoadException($"A database of the running system did not answer: {problem.Message}");
        }
    }
}

using System.Text.Json;
using Npgsql;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Data;

/// <summary>The rows that a transaction locks and reads.</summary>
internal sealed record StockScope
{
    /// <summary>Orders whose reservations the transaction decides on.</summary>
    public Guid[] Orders { get; init; } = [];

    /// <summary>Products whose stock the transaction decides on.</summary>
    public Guid[] Products { get; init; } = [];

    /// <summary>Holds that may be changed or ended; the products that they hold are locked too.</summary>
    public Guid[] Holds { get; init; } = [];

    /// <summary>
    /// For changes that may create stock at a location: no location is deleted until the transaction ends. Of an order's events only a return
    /// does this; all others use existing stock.
    /// </summary>
    public bool LockLocations { get; init; }

    /// <summary>For changes that must not create stock of deleted products, or holds of products that cannot be ordered.</summary>
    public bool FindStatus { get; init; }

    /// <summary>For a rebuild: also sum the ledger of these products.</summary>
    public bool SumLedger { get; init; }

    /// <summary>The scope of a change to products' stock, possibly with a new record at another location.</summary>
    public static StockScope ToChange(params Guid[] products) => new() { Products = products, LockLocations = true };
}

/// <summary>
/// Locks and reads what a transaction decides on, in one round trip. Locks are taken in the same order everywhere, so that two transactions never
/// deadlock: locations, orders, products, holds, and each of them in the order of their ids. A hold is locked only after the products that it
/// holds, so a transaction that has locked a product also has that product's share of every hold.
/// </summary>
internal sealed class StockLoader(InventoryOptions options, TimeProvider time)
{
    // lock_stock raises 40001 when rows were added between its read and its locks; the caller repeats the transaction. The last column is one
    // probe of an index of live holds by expiry time; the sweeper keeps its part before now nearly empty.
    private const string Levels =
        """
        SELECT s.product_id, s.location, s.on_hand, s.reserved, s.low_stock_threshold, s.version, s.updated_at, s.removed, l.priority, l.active,
               (SELECT EXISTS (SELECT FROM holds h JOIN hold_lines d ON d.hold_id = h.id WHERE h.status = 'live' AND h.expires_at <= now() AND d.product_id = ANY($1)))
        FROM lock_stock($1, $2) AS s LEFT JOIN locations l ON l.code = s.location
        """;

    /// <param name="connection">A connection with an open transaction.</param>
    /// <param name="scope">What to lock.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <param name="by">Who requested the change; null for the system.</param>
    public async Task<Stock> LoadAsync(NpgsqlConnection connection, StockScope scope, CancellationToken cancellationToken, Caller? by = null)
    {
        var locations = new Dictionary<string, LocationRank>();
        var reservations = new List<Reservation>();
        var items = new List<StockItem>();
        var holds = new List<Hold>();
        var lines = new List<HeldLine>();
        var (deleted, discontinued) = (new HashSet<Guid>(), new HashSet<Guid>());
        var ledger = new Dictionary<string, (long OnHand, long Reserved)>();
        var someAreDue = false;

        var reads = new Reads(connection);
        if (scope.LockLocations)
        {
            reads.Add("SELECT code, priority, active FROM locations ORDER BY code FOR KEY SHARE", row => locations.Add(row.GetString(0), new(row.GetInt32(1), row.GetBoolean(2))));
        }

        if (scope.Orders.Length > 0)
        {
            reads.Add(
                """
                SELECT order_id, order_version, outcome, lines, shortages, decided_at, shipped, returned_versions
                FROM reservations WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE
                """,
                row => reservations.Add(ReadReservation(row)), scope.Orders);
        }

        reads.Add(
            Levels,
            row =>
            {
                items.Add(ReadItem(row));
                someAreDue = row.GetBoolean(10);
            },
            scope.Products, scope.Holds);
        if (scope.Holds.Length > 0)
        {
            reads.Add(
                "SELECT hold_id, product_id, location, quantity FROM hold_lines WHERE hold_id = ANY($1) ORDER BY hold_id, product_id, location",
                row => lines.Add(ReadHeldLine(row)), scope.Holds);
            reads.Add(
                "SELECT id, status, expires_at <= now(), version, lines, customer_id FROM holds WHERE id = ANY($1)",
                row => holds.Add(ReadHold(row, lines)), scope.Holds);
        }

        if (scope.FindStatus)
        {
            // Read after the locks: a transaction that ends a deleted product's holds locks its stock too.
            reads.Add(
                "SELECT product_id, status FROM product_copies WHERE product_id = ANY($1) AND status <> 'active'",
                row => (row.GetString(1) == "deleted" ? deleted : discontinued).Add(row.GetGuid(0)), scope.Products);
        }

        if (scope.SumLedger)
        {
            reads.Add(
                "SELECT location, sum(on_hand_delta)::bigint, sum(reserved_delta)::bigint FROM stock_movements WHERE product_id = ANY($1) GROUP BY location",
                row => ledger.Add(row.GetString(0), (row.GetInt64(1), row.GetInt64(2))), scope.Products);
        }

        await reads.ExecuteAsync(cancellationToken);
        var due = someAreDue ? await LockDueLinesAsync(connection, [.. items.Select(item => item.ProductId).Distinct()], cancellationToken) : [];

        // The time is taken after the locks: an earlier time could be before what the previous lock owner wrote.
        return new(time.GetStorableNow(), items, reservations, holds)
        {
            By = by,
            Policy = options.Allocation,
            Locations = locations,
            DeletedProducts = deleted,
            DiscontinuedProducts = discontinued,
            Ledger = ledger,
            DueLines = due,
        };
    }

    /// <summary>
    /// Reads the lines of due holds. The holds are locked, so that one that is being extended is waited for and read again. The products are
    /// locked already, so the lines do not change.
    /// </summary>
    private static async Task<List<HeldLine>> LockDueLinesAsync(NpgsqlConnection connection, Guid[] products, CancellationToken cancellationToken)
    {
        var lines = new List<HeldLine>();
        var reads = new Reads(connection);
        reads.Add(
            """
            SELECT l.hold_id, l.product_id, l.location, l.quantity
            FROM holds h JOIN hold_lines l ON l.hold_id = h.id
            WHERE h.status = 'live' AND h.expires_at <= now() AND l.product_id = ANY($1)
            ORDER BY h.id FOR UPDATE OF h
            """,
            row => lines.Add(ReadHeldLine(row)), products);
        await reads.ExecuteAsync(cancellationToken);
        return lines;
    }

    private static Reservation ReadReservation(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetInt64(1), Outcomes.Parse(row.GetString(2)), ReadLines(row.GetString(3)),
        JsonSerializer.Deserialize(row.GetString(4), InventoryJson.Default.IReadOnlyListShortage)!,
        row.GetFieldValue<DateTimeOffset>(5),
        row.IsDBNull(6) ? [] : ReadLines(row.GetString(6)),
        row.IsDBNull(7) ? [] : JsonSerializer.Deserialize(row.GetString(7), InventoryJson.Default.IReadOnlyListInt64)!);

    private static IReadOnlyList<ReservedLine> ReadLines(string json) => JsonSerializer.Deserialize(json, InventoryJson.Default.IReadOnlyListReservedLine)!;

    private static StockItem ReadItem(NpgsqlDataReader row) => new(row.GetGuid(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5))
    {
        UpdatedAt = row.GetFieldValue<DateTimeOffset>(6),
        IsRemoved = row.GetBoolean(7),
        Priority = row.IsDBNull(8) ? 0 : row.GetInt32(8),
        Active = !row.IsDBNull(9) && row.GetBoolean(9),
    };

    private static HeldLine ReadHeldLine(NpgsqlDataReader row) => new(row.GetGuid(0), new(row.GetGuid(1), row.GetString(2), row.GetInt64(3)));

    private static Hold ReadHold(NpgsqlDataReader row, List<HeldLine> lines)
    {
        var id = row.GetGuid(0);
        return new(
            id, Outcomes.ParseHold(row.GetString(1)), row.GetBoolean(2), row.GetInt64(3), HoldLines.Read(row.GetString(4)),
            [.. lines.Where(held => held.HoldId == id).Select(held => held.Line)], row.GetFieldValue<Guid?>(5));
    }

    /// <summary>Statements of one round trip, each with a callback for its rows.</summary>
    private sealed class Reads(NpgsqlConnection connection)
    {
        private readonly List<(NpgsqlBatchCommand Command, Action<NpgsqlDataReader> Read)> _reads = [];

        public void Add(string sql, Action<NpgsqlDataReader> read, params Guid[][] parameters)
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (var ids in parameters)
            {
                command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = ids });
            }

            _reads.Add((command, read));
        }

        public async Task ExecuteAsync(CancellationToken cancellationToken)
        {
            await using var batch = new NpgsqlBatch(connection);
            _reads.ForEach(read => batch.BatchCommands.Add(read.Command));
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            foreach (var (_, read) in _reads)
            {
                while (await reader.ReadAsync(cancellationToken))
                {
                    read(reader);
                }

                await reader.NextResultAsync(cancellationToken);
            }
        }
    }
}

using Npgsql;
using NpgsqlTypes;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Domain;

namespace OrderInventory.Orders.Data;

/// <summary>
/// The hottest path of the service: one round trip, which is the whole transaction, for all orders that arrived meanwhile. An address is
/// stored only if the customer is not erased by then. Keys are written before orders: another request's uncommitted key is not visible, so
/// the insert has to wait for it.
/// </summary>
internal sealed class PlacementWriter(NpgsqlDataSource database, OutboxSignal signal, TimeProvider time) : GroupWriter<Placement, InsertResult>(time)
{
    /// <summary>How long a request waits for another one with the same key that has not committed yet.</summary>
    private const string KeyLockTimeout = "250ms";

    /// <summary>After <see cref="InsertResult.Inserted"/>, key, order, lines, history and event are on disk; otherwise nothing is.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled before the order was written; it may still be written.</exception>
    public Task<InsertResult> InsertAsync(Placement placement, CancellationToken cancellationToken) => AddAsync(placement, cancellationToken);

    protected override async Task<InsertResult> WriteAsync(List<Placement> group)
    {
        // Sorted, so that two replicas with the same keys do not deadlock.
        group.Sort((a, b) => string.CompareOrdinal(a.By.Sub, b.By.Sub) is not 0 and var order ? order : string.CompareOrdinal(a.Key, b.Key));
        var orders = group.ConvertAll(placement => placement.Order);
        var locked = ErasureLock.CustomersOf(orders);
        await using var connection = await database.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Copies.EnsureCurrent(group.ConvertAll(placement => placement.Copies), locked.Length > 0 ? ErasureLock.Timeout : KeyLockTimeout));
        if (locked.Length > 0)
        {
            ErasureLock.Add(batch, locked);
            batch.BatchCommands.Add(new($"SELECT set_config('lock_timeout', '{KeyLockTimeout}', true)"));
        }

        batch.BatchCommands.Add(InsertKeys(group));
        batch.BatchCommands.Add(InsertOrders(orders));
        batch.BatchCommands.Add(OrderBatch.InsertLines(orders));
        batch.BatchCommands.Add(History.Insert(group.ConvertAll(placement => placement.Placed)));
        signal.Committed(await batch.WriteAsync(group.ConvertAll(placement => placement.Created), CancellationToken.None));
        return InsertResult.Inserted;
    }

    protected override void OnWriteAttempted() => signal.Wake();

    protected override InsertResult? Outcome(PostgresException exception) => exception switch
    {
        { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "idempotency_keys" } => InsertResult.KeyIsTaken,
        { SqlState: PostgresErrorCodes.LockNotAvailable } => InsertResult.KeyIsInFlight,
        { SqlState: Ensure.CopiesChanged } => InsertResult.CopiesChanged,
        _ => null,
    };

    private static NpgsqlBatchCommand InsertKeys(List<Placement> placements) => new(
        """
        INSERT INTO idempotency_keys (caller, key, fingerprint, resource_id, created_at)
        SELECT caller, key, CASE WHEN EXISTS (SELECT FROM customer_copies c WHERE c.customer_id = n.customer_id AND c.status = 'erased')
            THEN '' ELSE fingerprint END, resource_id, created_at
        FROM unnest($1, $2, $3, $4, $5, $6) AS n (caller, key, fingerprint, resource_id, created_at, customer_id)
        """)
    {
        Parameters =
        {
            OutboxSql.Array(placements, p => p.By.Sub, NpgsqlDbType.Text),
            OutboxSql.Array(placements, p => p.Key, NpgsqlDbType.Text),
            OutboxSql.Array(placements, p => p.Fingerprint, NpgsqlDbType.Bytea),
            OutboxSql.Array(placements, p => p.Order.Id, NpgsqlDbType.Uuid),
            OutboxSql.Array(placements, p => p.Order.PlacedAt.UtcDateTime, NpgsqlDbType.TimestampTz),
            OutboxSql.Array(placements, p => p.Order.CustomerId, NpgsqlDbType.Uuid),
        },
    };

    private static NpgsqlBatchCommand InsertOrders(List<Order> orders) => new(
        """
        INSERT INTO orders (id, customer_id, status, version, currency, total, hold_id, placed_at, updated_at, ship_to, ship_to_erased)
        SELECT id, customer_id, status, version, currency, total, hold_id, placed_at, placed_at,
            CASE WHEN erased THEN NULL ELSE ship_to::jsonb END, erased
        FROM (
            SELECT *, ship_to IS NOT NULL
                AND EXISTS (SELECT FROM customer_copies c WHERE c.customer_id = n.customer_id AND c.status = 'erased') AS erased
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) AS n (id, customer_id, status, version, currency, total, hold_id, placed_at, ship_to)
        ) AS n
        """)
    {
        Parameters =
        {
            OutboxSql.Array(orders, o => o.Id, NpgsqlDbType.Uuid),
            OutboxSql.Array(orders, o => o.CustomerId, NpgsqlDbType.Uuid),
            OutboxSql.Array(orders, o => StatusNames.Format(o.Status), NpgsqlDbType.Text),
            OutboxSql.Array(orders, o => o.Version, NpgsqlDbType.Bigint),
            OutboxSql.Array(orders, o => o.Currency, NpgsqlDbType.Text),
            OutboxSql.Array(orders, o => o.Total, NpgsqlDbType.Numeric),
            OutboxSql.Array(orders, o => o.HoldId, NpgsqlDbType.Uuid),
            OutboxSql.Array(orders, o => o.PlacedAt.UtcDateTime, NpgsqlDbType.TimestampTz),
            OutboxSql.Array(orders, o => OrderJson.Write(o.ShipTo), NpgsqlDbType.Text),
        },
    };
}

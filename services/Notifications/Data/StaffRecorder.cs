using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.Data;

/// <summary>
/// What is reported to staff about stock. Consuming only stores the state of each product; <see cref="AnnounceAsync"/> creates notifications from
/// it, so that stock that crosses its threshold twenty times a minute causes two mails and not twenty.
/// </summary>
internal sealed class StaffRecorder(NpgsqlDataSource database, SendSignal signal, IOptions<NotificationOptions> options)
{
    /// <summary>
    /// Stock that is no longer low because it has no threshold any more (none is set, or the product or its record was removed) is no news for staff.
    /// It counts as reported, so that the product is reported when it is low again.
    /// </summary>
    private const string Upsert =
        """
        INSERT INTO stock_alerts (product_id, version, low, available, threshold, event_id, event_type, trace_parent, told_low)
        SELECT DISTINCT ON (product_id) product_id, version, low, available, threshold, event_id, event_type, trace_parent,
            CASE WHEN NOT low AND threshold = 0 THEN false END
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS a (product_id, version, low, available, threshold, event_id, event_type, trace_parent)
        ORDER BY product_id, version DESC
        ON CONFLICT (product_id) DO UPDATE SET version = excluded.version, low = excluded.low, available = excluded.available,
            threshold = excluded.threshold, event_id = excluded.event_id, event_type = excluded.event_type, trace_parent = excluded.trace_parent,
            told_low = coalesce(excluded.told_low, stock_alerts.told_low)
        WHERE stock_alerts.version < excluded.version
        """;

    private const string SelectUnannounced =
        """
        SELECT product_id, version, low, available, threshold, event_id, event_type, trace_parent FROM stock_alerts
        WHERE low IS DISTINCT FROM told_low AND (quiet_until IS NULL OR quiet_until <= now())
        ORDER BY quiet_until LIMIT 100 FOR UPDATE SKIP LOCKED
        """;

    private const string MarkAnnounced =
        "UPDATE stock_alerts SET told_low = low, quiet_until = now() + $2 WHERE product_id = ANY ($1)";

    private const string Insert =
        """
        INSERT INTO notifications (id, event_id, event_type, template, channel, recipient_ref, data, trace_parent,
            status, attempts, attempts_before, created_at, due_since, next_attempt_at)
        SELECT id, event_id, event_type, template, channel, recipient_ref, data, trace_parent, 'pending', 0, 0, now(), now(), now()
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS n (id, event_id, event_type, template, channel, recipient_ref, data, trace_parent)
        ON CONFLICT (event_id, template, channel, recipient_ref) DO NOTHING
        """;

    /// <summary>Stores crossings of thresholds in the transaction of their batch. The newer version of a product's stock wins.</summary>
    public void Record(InboxBatch batch, IReadOnlyList<ReceivedEvent> crossings)
    {
        if (crossings.Count == 0)
        {
            return;
        }

        var stock = crossings.Select(e => (Event: e, Stock: (InventoryUpdated)e.Data)).ToList();
        batch.Writes.BatchCommands.Add(new NpgsqlBatchCommand(Upsert)
        {
            Parameters =
            {
                OutboxSql.Array(stock, s => s.Stock.ProductId, NpgsqlDbType.Uuid),
                OutboxSql.Array(stock, s => s.Stock.Version, NpgsqlDbType.Bigint),
                OutboxSql.Array(stock, s => s.Stock.LowStock == LowStockCrossing.Entered, NpgsqlDbType.Boolean),
                OutboxSql.Array(stock, s => s.Stock.Available, NpgsqlDbType.Bigint),
                OutboxSql.Array(stock, s => s.Stock.LowStockThreshold, NpgsqlDbType.Bigint),
                OutboxSql.Array(stock, s => s.Event.Id, NpgsqlDbType.Uuid),
                OutboxSql.Array(stock, s => s.Event.Type, NpgsqlDbType.Text),
                OutboxSql.Array(stock, s => NotificationRecorder.Recorded(s.Event.TraceParent), NpgsqlDbType.Text),
            },
        });
        batch.AfterCommit(signal.WakeAlerts);
    }

    /// <summary>Creates notifications of what was not reported to staff yet and may be reported now. Returns the number of products.</summary>
    public async Task<int> AnnounceAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var alerts = await FindUnannouncedAsync(connection, cancellationToken);
        if (alerts.Count == 0)
        {
            return 0;
        }

        var rows = RowsOf(alerts, await FindStaffAsync(connection, cancellationToken));
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Insert)
        {
            Parameters =
            {
                OutboxSql.Array(rows, _ => OrderedIds.Next(), NpgsqlDbType.Uuid),
                OutboxSql.Array(rows, r => r.Alert.EventId, NpgsqlDbType.Uuid),
                OutboxSql.Array(rows, r => r.Alert.EventType, NpgsqlDbType.Text),
                OutboxSql.Array(rows, r => r.Request.Template, NpgsqlDbType.Text),
                OutboxSql.Array(rows, r => r.Channel, NpgsqlDbType.Text),
                OutboxSql.Array(rows, r => r.Request.RecipientRef, NpgsqlDbType.Text),
                OutboxSql.Array(rows, r => JsonSerializer.Serialize(r.Request.Data, NotificationJson.Default.NotificationData), NpgsqlDbType.Jsonb),
                OutboxSql.Array(rows, r => r.Alert.TraceParent, NpgsqlDbType.Text),
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(MarkAnnounced)
        {
            Parameters =
            {
                OutboxSql.Array(alerts, a => a.ProductId, NpgsqlDbType.Uuid),
                new NpgsqlParameter<TimeSpan> { TypedValue = options.Value.LowStockInterval },
            },
        });
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        signal.WakeAll();
        return alerts.Count;
    }

    private List<(StockAlert Alert, NotificationRequest Request, string Channel)> RowsOf(
        List<StockAlert> alerts, List<(Guid Id, string[] Events, string[] Channels)> staff)
    {
        var email = NotificationsDb.Name(NotificationChannel.Email);
        var rows = new List<(StockAlert, NotificationRequest, string)>();
        foreach (var alert in alerts)
        {
            var request = NotificationRequest.For(alert);
            var notified = staff.Where(s => s.Events.Contains(request.Template)).ToList();
            foreach (var member in notified)
            {
                rows.AddRange(member.Channels.Select(channel => (alert, request with { RecipientRef = member.Id.ToString() }, channel)));
            }

            // The configured role; also when no address is configured at all, so that the history shows that nobody could be notified.
            if (alert.Low && (notified.Count == 0 || options.Value.Staff.GetValueOrDefault(NotificationRequest.InventoryManager) is { Length: > 0 }))
            {
                rows.Add((alert, request, email));
            }
        }

        return rows;
    }

    private static async Task<List<StockAlert>> FindUnannouncedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SelectUnannounced, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var alerts = new List<StockAlert>();
        while (await reader.ReadAsync(cancellationToken))
        {
            alerts.Add(new()
            {
                ProductId = reader.GetGuid(0),
                Version = reader.GetInt64(1),
                Low = reader.GetBoolean(2),
                Available = reader.GetInt64(3),
                Threshold = reader.GetInt64(4),
                EventId = reader.GetGuid(5),
                EventType = reader.GetString(6),
                TraceParent = reader.GetStringOrNull(7),
            });
        }

        return alerts;
    }

    private static async Task<List<(Guid Id, string[] Events, string[] Channels)>> FindStaffAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT id, events, array_remove(ARRAY[CASE WHEN channel_email THEN 'email' END, CASE WHEN channel_sms THEN 'sms' END], NULL) FROM staff
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var staff = new List<(Guid, string[], string[])>();
        while (await reader.ReadAsync(cancellationToken))
        {
            staff.Add((reader.GetGuid(0), reader.GetFieldValue<string[]>(1), reader.GetFieldValue<string[]>(2)));
        }

        return staff;
    }
}

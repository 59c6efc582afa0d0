using System.Diagnostics;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.Data;

/// <summary>
/// Records the notifications of a batch of events in one statement, in the batch's transaction. Thousands are recorded per second, so nothing
/// is looked up or rendered here: the sender does that at its own pace.
/// </summary>
internal sealed class NotificationRecorder(SendSignal signal)
{
    /// <summary>
    /// Customers who do not want a channel, or are erased, get no row. A customer who is not known yet gets a row for e-mail, which is not sent if
    /// Customers says at that time that they do not want e-mail.
    /// </summary>
    private const string Sql =
        """
        INSERT INTO notifications (id, event_id, event_type, order_id, order_version, customer_id, template, channel, recipient_ref, data, trace_parent,
            status, attempts, attempts_before, created_at, due_since, next_attempt_at)
        SELECT c.id, n.event_id, n.event_type, n.order_id, n.order_version, n.customer_id, n.template, c.channel, n.recipient_ref, n.data, n.trace_parent,
            'pending', 0, 0, now(), now(), now()
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            AS n (email_id, sms_id, event_id, event_type, order_id, customer_id, template, recipient_ref, data, trace_parent, order_version)
        LEFT JOIN recipients r ON r.customer_id = n.customer_id
        CROSS JOIN LATERAL (VALUES (n.email_id, 'email', coalesce(r.email, true)), (n.sms_id, 'sms', coalesce(r.sms, false))) AS c (id, channel, wanted)
        WHERE c.wanted AND (r.customer_id IS NULL OR r.status = 'active')
        ON CONFLICT (event_id, template, channel, recipient_ref) DO NOTHING
        """;

    public void Record(InboxBatch batch, IReadOnlyList<(ReceivedEvent Event, NotificationRequest Request)> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        // Sorted, because lists show the newest first by these ids, and a batch may have an order's versions in any order.
        rows = [.. rows.OrderBy(r => r.Request.OrderVersion)];
        var insert = new NpgsqlBatchCommand(Sql)
        {
            Parameters =
            {
                OutboxSql.Array(rows, _ => OrderedIds.Next(), NpgsqlDbType.Uuid),
                OutboxSql.Array(rows, _ => OrderedIds.Next(), NpgsqlDbType.Uuid),
                OutboxSql.Array(rows, r => r.Event.Id, NpgsqlDbType.Uuid),
                OutboxSql.Array(rows, r => r.Event.Type, NpgsqlDbType.Text),
                OutboxSql.Array(rows, r => r.Request.OrderId, NpgsqlDbType.Uuid),
                OutboxSql.Array(rows, r => r.Request.CustomerId, NpgsqlDbType.Uuid),
                OutboxSql.Array(rows, r => r.Request.Template, NpgsqlDbType.Text),
                OutboxSql.Array(rows, r => r.Request.RecipientRef, NpgsqlDbType.Text),
                OutboxSql.Array(rows, r => JsonSerializer.Serialize(r.Request.Data, NotificationJson.Default.NotificationData), NpgsqlDbType.Jsonb),
                OutboxSql.Array(rows, r => Recorded(r.Event.TraceParent), NpgsqlDbType.Text),
                OutboxSql.Array(rows, r => r.Request.OrderVersion, NpgsqlDbType.Bigint),
            },
        };
        batch.Writes.BatchCommands.Add(insert);
        batch.AfterCommit(() =>
        {
            signal.Wake(NotificationChannel.Email);
            // Rare: with more rows than requests, a customer wants text messages too. Customers who want only these get them at the next poll.
            if (insert.RecordsAffected > rows.Count)
            {
                signal.Wake(NotificationChannel.Sms);
            }
        });
    }

    /// <summary>Null for a trace that is not recorded: it needs no continuation, and the row stays short.</summary>
    internal static string? Recorded(string? traceParent) =>
        ActivityContext.TryParse(traceParent, null, out var context) && context.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? traceParent : null;
}

using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.Data;

/// <summary>An event that may be delivered to webhooks.</summary>
internal sealed record WebhookEventRow(ReceivedEvent Event, Guid? OrderId, Guid? CustomerId, DateTimeOffset OccurredAt);

/// <summary>Records the deliveries of a batch of events in the batch's transaction: one notification per event and webhook, the data once per event.</summary>
internal sealed class WebhookRecorder(WebhookInterest interest, SendSignal signal)
{
    /// <summary>The template of a delivery: the event itself.</summary>
    public const string Template = "event";

    /// <summary>What a webhook can subscribe to.</summary>
    public static readonly IReadOnlyList<string> EventTypes = [OrderCreated.Type, OrderUpdated.Type, InventoryUpdated.Type, CustomerUpdated.Type];

    /// <summary>Maximum number of rows per statement, so that many webhooks and a large batch do not make a huge statement.</summary>
    private const int MaxRows = 10_000;

    /// <summary>
    /// FOR KEY SHARE: the deletion of a webhook waits for this commit and then ends these rows too; otherwise they would wait forever for a
    /// deleted webhook. A customer's own webhook receives events only while they want webhooks.
    /// </summary>
    private const string Find =
        """
        SELECT w.id, w.customer_id FROM webhooks w LEFT JOIN recipients r ON r.customer_id = w.customer_id
        WHERE w.active AND (w.event_types IS NULL OR $1 = ANY (w.event_types))
            AND (w.customer_id IS NULL OR (w.customer_id = ANY ($2) AND r.webhook AND r.status = 'active'))
        FOR KEY SHARE OF w
        """;

    private const string KeepEvents =
        """
        INSERT INTO webhook_events (event_id, type, source, subject, time, data)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
        ON CONFLICT (event_id) DO NOTHING
        """;

    private const string KeepRows =
        """
        INSERT INTO notifications (id, event_id, event_type, order_id, customer_id, template, channel, recipient_ref, data, trace_parent,
            status, attempts, attempts_before, created_at, due_since, next_attempt_at)
        SELECT n.id, n.event_id, n.event_type, n.order_id, n.customer_id, $7, 'webhook', n.webhook_id::text, '{}', n.trace_parent,
            'pending', 0, 0, now(), now(), now()
        FROM unnest($1, $2, $3, $4, $5, $6, $8) AS n (id, event_id, event_type, order_id, customer_id, webhook_id, trace_parent)
        ON CONFLICT (event_id, template, channel, recipient_ref) DO NOTHING
        """;

    /// <param name="batch">The transaction.</param>
    /// <param name="events">The events, all of one type.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    public async Task RecordAsync(InboxBatch batch, IReadOnlyList<WebhookEventRow> events, CancellationToken cancellationToken)
    {
        if (events.Count == 0 || !interest.IsSubscribed(events[0].Event.Type))
        {
            return;
        }

        var webhooks = await FindAsync(await batch.GetConnectionAsync(cancellationToken), events, cancellationToken);
        var rows = events
            .SelectMany(e => webhooks
                .Where(w => w.CustomerId is null || w.CustomerId == e.CustomerId)
                .Select(w => (Id: OrderedIds.Next(), Of: e, Webhook: w)))
            .ToList();
        if (rows.Count == 0)
        {
            return;
        }

        var kept = rows.Select(r => r.Of).Distinct().ToList();
        batch.Writes.BatchCommands.Add(new NpgsqlBatchCommand(KeepEvents)
        {
            Parameters =
            {
                OutboxSql.Array(kept, e => e.Event.Id, NpgsqlDbType.Uuid),
                OutboxSql.Array(kept, e => e.Event.Type, NpgsqlDbType.Text),
                OutboxSql.Array(kept, e => e.Event.Source ?? "/", NpgsqlDbType.Text),
                OutboxSql.Array(kept, e => e.Event.Subject, NpgsqlDbType.Text),
                OutboxSql.Array(kept, e => (e.Event.Time ?? e.OccurredAt).UtcDateTime, NpgsqlDbType.TimestampTz),
                OutboxSql.Array(kept, e => e.Event.Payload.ToArray(), NpgsqlDbType.Bytea),
            },
        });
        foreach (var some in rows.Chunk(MaxRows))
        {
            batch.Writes.BatchCommands.Add(new NpgsqlBatchCommand(KeepRows)
            {
                Parameters =
                {
                    OutboxSql.Array(some, r => r.Id, NpgsqlDbType.Uuid),
                    OutboxSql.Array(some, r => r.Of.Event.Id, NpgsqlDbType.Uuid),
                    OutboxSql.Array(some, r => r.Of.Event.Type, NpgsqlDbType.Text),
                    OutboxSql.Array(some, r => r.Of.OrderId, NpgsqlDbType.Uuid),
                    OutboxSql.Array(some, r => r.Webhook.CustomerId, NpgsqlDbType.Uuid),
                    OutboxSql.Array(some, r => r.Webhook.Id, NpgsqlDbType.Uuid),
                    new NpgsqlParameter<string> { TypedValue = Template },
                    OutboxSql.Array(some, r => NotificationRecorder.Recorded(r.Of.Event.TraceParent), NpgsqlDbType.Text),
                },
            });
        }

        batch.AfterCommit(() => signal.Wake(Domain.NotificationChannel.Webhook));
    }

    /// <summary>The structured CloudEvent that is posted: the same bytes at every attempt, so that the receiver can compare.</summary>
    public static byte[] Body(Guid eventId, string type, string source, string subject, DateTimeOffset time, ReadOnlySpan<byte> data)
    {
        using var stream = new MemoryStream(data.Length + 512);
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("specversion", "1.0");
            json.WriteString("id", eventId);
            json.WriteString("type", type);
            json.WriteString("source", source);
            json.WriteString("subject", subject);
            json.WriteString("time", time);
            json.WriteString("datacontenttype", "application/json");
            json.WritePropertyName("data");
            json.WriteRawValue(data);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static async Task<List<(Guid Id, Guid? CustomerId)>> FindAsync(
        NpgsqlConnection connection, IReadOnlyList<WebhookEventRow> events, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Find, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = events[0].Event.Type });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. events.Where(e => e.CustomerId is not null).Select(e => e.CustomerId!.Value).Distinct()] });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<(Guid, Guid?)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add((reader.GetGuid(0), reader.GetFieldValue<Guid?>(1)));
        }

        return found;
    }
}

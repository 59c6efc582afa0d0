using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Data;

/// <summary>Records what staff is told. Crossings of a threshold are few, so who wants to know is looked up in the transaction.</summary>
internal sealed class StaffRecorder(NotificationRecorder recorder, SendSignal signal, IOptions<NotificationOptions> options)
{
    private const string Sql =
        """
        INSERT INTO notifications (id, event_id, event_type, template, channel, recipient_ref, data, trace_parent,
            status, attempts, attempts_before, created_at, due_since, next_attempt_at)
        SELECT id, event_id, event_type, template, channel, recipient_ref, data, trace_parent, 'pending', 0, 0, now(), now(), now()
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS n (id, event_id, event_type, template, channel, recipient_ref, data, trace_parent)
        ON CONFLICT (event_id, template, channel, recipient_ref) DO NOTHING
        """;

    public async Task RecordAsync(InboxBatch batch, IReadOnlyList<ReceivedEvent> crossings, CancellationToken cancellationToken)
    {
        if (crossings.Count == 0)
        {
            return;
        }

        var staff = await FindAsync(batch.Connection, cancellationToken);
        var rows = new List<(ReceivedEvent Event, NotificationRequest Request, string Channel)>();
        var roles = new List<(ReceivedEvent, NotificationRequest)>();
        foreach (var crossing in crossings)
        {
            var request = NotificationRequest.For((InventoryUpdated)crossing.Data);
            var told = staff.Where(s => s.Events.Contains(request.Template)).ToList();
            foreach (var member in told)
            {
                rows.AddRange(member.Channels.Select(channel => (crossing, request with { RecipientRef = member.Id.ToString() }, channel)));
            }

            // The role of the configuration; also when nobody is named anywhere, so that the history shows that nobody could be told.
            if (request.Template == Templates.LowStock
                && (told.Count == 0 || options.Value.Staff.GetValueOrDefault(NotificationRequest.InventoryManager) is { Length: > 0 }))
            {
                roles.Add((crossing, request));
            }
        }

        recorder.Record(batch, roles);
        if (rows.Count == 0)
        {
            return;
        }

        batch.Writes.BatchCommands.Add(new NpgsqlBatchCommand(Sql)
        {
            Parameters =
            {
                OutboxSql.Array(rows, _ => Guid.CreateVersion7(), NpgsqlDbType.Uuid),
                OutboxSql.Array(rows, r => r.Event.Id, NpgsqlDbType.Uuid),
                OutboxSql.Array(rows, r => r.Event.Type, NpgsqlDbType.Text),
                OutboxSql.Array(rows, r => r.Request.Template, NpgsqlDbType.Text),
                OutboxSql.Array(rows, r => r.Channel, NpgsqlDbType.Text),
                OutboxSql.Array(rows, r => r.Request.RecipientRef, NpgsqlDbType.Text),
                OutboxSql.Array(rows, r => JsonSerializer.Serialize(r.Request.Data, NotificationJson.Default.NotificationData), NpgsqlDbType.Jsonb),
                OutboxSql.Array(rows, r => NotificationRecorder.Recorded(r.Event.TraceParent), NpgsqlDbType.Text),
            },
        });
        batch.AfterCommit(signal.WakeAll);
    }

    private static async Task<List<(Guid Id, string[] Events, string[] Channels)>> FindAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
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

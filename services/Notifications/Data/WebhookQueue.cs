using Npgsql;
using NpgsqlTypes;
using OpenTelemetry;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.Data;

/// <summary>A delivery that a sender has claimed.</summary>
internal sealed record ClaimedDelivery(
    Guid Id, Guid WebhookId, Guid EventId, string EventType, string? TraceParent, int Attempts, int AttemptsBefore, string Url, string[] Secrets, byte[] Body,
    bool Wanted);

/// <summary>The result of an attempt.</summary>
internal sealed record DeliveryResult(
    NotificationStatus Status, TimeSpan Delay, DateTimeOffset AttemptedAt, int? StatusCode, TimeSpan Duration, string? Error)
{
    /// <summary>How long no replica calls the endpoint; null when it has not asked for a pause.</summary>
    public TimeSpan? Pause { get; init; }

    /// <summary>Why the endpoint is switched off; null when it is not.</summary>
    public string? Disable { get; init; }
}

/// <summary>
/// The deliveries as a queue with a lane per webhook. A claim takes a few deliveries of each webhook that is not busy, so that a webhook with a
/// long backlog does not delay others. The order is random, so that with more webhooks than a claim can take, none is always last.
/// </summary>
internal sealed class WebhookQueue(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>How long the log of attempts is kept, and how long an event can be resent.</summary>
    public static readonly TimeSpan LogRetention = TimeSpan.FromDays(30);

    /// <summary>Claims what is due for all webhooks except the busy ones; for those on probation, only the oldest delivery.</summary>
    public async Task<List<ClaimedDelivery>> ClaimAsync(
        Guid claim, Guid[] busy, Guid[] probation, int perWebhook, int limit, TimeSpan lease, CancellationToken cancellationToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin();
        await using var command = database.CreateCommand(
            """
            WITH due AS MATERIALIZED (
                SELECT d.id, d.event_id, w.id AS webhook_id, w.url, w.customer_id,
                    CASE WHEN w.previous_secret_until > now() THEN ARRAY[w.secret, w.previous_secret] ELSE ARRAY[w.secret] END AS secrets
                FROM (SELECT * FROM webhooks WHERE active AND id <> ALL ($2) AND (paused_until IS NULL OR paused_until <= now()) ORDER BY random()) AS w
                CROSS JOIN LATERAL (
                    SELECT n.id, n.event_id FROM notifications n
                    WHERE n.channel = 'webhook' AND n.status = 'pending' AND n.recipient_ref = w.id::text
                        AND n.next_attempt_at <= now() AND (n.lease_until IS NULL OR n.lease_until < now())
                    ORDER BY n.next_attempt_at LIMIT CASE WHEN w.id = ANY ($3) THEN 1 ELSE $4 END
                    FOR UPDATE SKIP LOCKED) d
                LIMIT $5)
            UPDATE notifications n SET leased_by = $1, lease_until = now() + $6
            FROM due JOIN webhook_events e ON e.event_id = due.event_id LEFT JOIN recipients r ON r.customer_id = due.customer_id
            WHERE n.id = due.id
            RETURNING n.id, due.webhook_id, n.event_id, n.event_type, n.trace_parent, n.attempts, n.attempts_before, due.url, due.secrets,
                e.source, e.subject, e.time, e.data, due.customer_id IS NULL OR coalesce(r.webhook, false)
            """);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = claim });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = busy });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = probation });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = perWebhook });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = lease });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var claimed = new List<ClaimedDelivery>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var (eventId, type) = (reader.GetGuid(2), reader.GetString(3));
            claimed.Add(new(
                reader.GetGuid(0), reader.GetGuid(1), eventId, type, reader.GetStringOrNull(4), reader.GetInt32(5), reader.GetInt32(6), reader.GetString(7),
                reader.GetFieldValue<string[]>(8),
                WebhookRecorder.Body(
                    eventId, type, reader.GetString(9), reader.GetString(10), reader.GetFieldValue<DateTimeOffset>(11), reader.GetFieldValue<byte[]>(12)),
                reader.GetBoolean(13)));
        }

        return claimed;
    }

    /// <summary>Writes the result of an attempt and its entry in the log.</summary>
    public async Task FinishAsync(Guid claim, ClaimedDelivery delivery, DeliveryResult result, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new(
            """
            UPDATE notifications
            SET status = $3, attempts = attempts + 1, next_attempt_at = now() + $4, last_error = $5,
                sent_at = CASE $3 WHEN 'sent' THEN now() ELSE sent_at END, leased_by = NULL, lease_until = NULL
            WHERE id = $2 AND leased_by = $1
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = claim },
                new NpgsqlParameter<Guid> { TypedValue = delivery.Id },
                new NpgsqlParameter<string> { TypedValue = NotificationsDb.Name(result.Status) },
                new NpgsqlParameter<TimeSpan> { TypedValue = result.Delay },
                new() { Value = (object?)result.Error ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            },
        });
        batch.BatchCommands.Add(new(
            """
            INSERT INTO webhook_deliveries (id, webhook_id, notification_id, event_id, event_type, attempt, attempted_at, status_code, duration_ms, error)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = Guid.CreateVersion7(result.AttemptedAt) },
                new NpgsqlParameter<Guid> { TypedValue = delivery.WebhookId },
                new NpgsqlParameter<Guid> { TypedValue = delivery.Id },
                new NpgsqlParameter<Guid> { TypedValue = delivery.EventId },
                new NpgsqlParameter<string> { TypedValue = delivery.EventType },
                new NpgsqlParameter<int> { TypedValue = delivery.Attempts + 1 },
                new NpgsqlParameter<DateTime> { TypedValue = result.AttemptedAt.UtcDateTime },
                new() { Value = (object?)result.StatusCode ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer },
                new NpgsqlParameter<int> { TypedValue = (int)result.Duration.TotalMilliseconds },
                new() { Value = (object?)result.Error ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            },
        });
        if (result.Pause is { } pause)
        {
            batch.BatchCommands.Add(new("UPDATE webhooks SET paused_until = greatest(paused_until, now() + $2) WHERE id = $1")
            {
                Parameters = { new NpgsqlParameter<Guid> { TypedValue = delivery.WebhookId }, new NpgsqlParameter<TimeSpan> { TypedValue = pause } },
            });
        }

        if (result.Disable is { } reason)
        {
            // Only if the webhook still has the address that answered: the answer does not apply to a new address.
            batch.BatchCommands.Add(new(
                """
                UPDATE webhooks SET active = false, disabled_reason = $2, version = version + 1, updated_at = $4
                WHERE id = $1 AND active AND url = $3
                """)
            {
                Parameters =
                {
                    new NpgsqlParameter<Guid> { TypedValue = delivery.WebhookId },
                    new NpgsqlParameter<string> { TypedValue = reason },
                    new NpgsqlParameter<string> { TypedValue = delivery.Url },
                    new NpgsqlParameter<DateTime> { TypedValue = result.AttemptedAt.UtcDateTime },
                },
            });
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Marks deliveries as failed without an attempt.</summary>
    public async Task GiveUpAsync(Guid claim, IReadOnlyList<Guid> ids, string error, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "UPDATE notifications SET status = 'failed', last_error = $3, leased_by = NULL, lease_until = NULL WHERE id = ANY ($2) AND leased_by = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = claim });
        command.Parameters.Add(OutboxSql.Array(ids, id => id, NpgsqlDbType.Uuid));
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = error });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Releases deliveries that were not tried.</summary>
    public async Task ReleaseAsync(Guid claim, IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "UPDATE notifications SET leased_by = NULL, lease_until = NULL WHERE id = ANY ($2) AND leased_by = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = claim });
        command.Parameters.Add(OutboxSql.Array(ids, id => id, NpgsqlDbType.Uuid));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Gives up deliveries that have waited too long for an endpoint that is dead or switched off, and those that were resent when their event was
    /// no longer kept. Deletes old entries of the log and old events. Works in steps, so that no lock is held for long.
    /// </summary>
    public async Task CleanAsync(TimeSpan maxAge, CancellationToken cancellationToken)
    {
        await EndErasedAsync(cancellationToken);
        await RepeatAsync(
            """
            UPDATE notifications SET status = 'failed', last_error = 'The endpoint did not take it in time.'
            WHERE id IN (
                SELECT id FROM notifications
                WHERE channel = 'webhook' AND status = 'pending' AND due_since < now() - $1 AND (lease_until IS NULL OR lease_until < now())
                LIMIT 1000 FOR UPDATE SKIP LOCKED)
            """,
            cancellationToken,
            new NpgsqlParameter<TimeSpan> { TypedValue = maxAge });
        await RepeatAsync(
            """
            UPDATE notifications SET status = 'failed', last_error = 'The event is no longer kept.'
            WHERE id IN (
                SELECT id FROM notifications n
                WHERE channel = 'webhook' AND status = 'pending' AND NOT EXISTS (SELECT FROM webhook_events e WHERE e.event_id = n.event_id)
                LIMIT 1000 FOR UPDATE SKIP LOCKED)
            """,
            cancellationToken);
        await RepeatAsync(
            "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE attempted_at < now() - $1 ORDER BY attempted_at LIMIT 1000)",
            cancellationToken,
            new NpgsqlParameter<TimeSpan> { TypedValue = LogRetention });
        // Our event ids are UUIDv7, so the primary key finds them by their age; the time is checked too, for ids that are not UUIDv7.
        await RepeatAsync(
            """
            DELETE FROM webhook_events WHERE event_id IN (
                SELECT event_id FROM webhook_events e
                WHERE event_id < $2 AND time < now() - $1
                    AND NOT EXISTS (SELECT FROM notifications n WHERE n.event_id = e.event_id AND n.channel = 'webhook' AND n.status = 'pending')
                ORDER BY event_id LIMIT 1000)
            """,
            cancellationToken,
            new NpgsqlParameter<TimeSpan> { TypedValue = LogRetention },
            new NpgsqlParameter<Guid> { TypedValue = Guid.CreateVersion7(time.GetUtcNow() - LogRetention) });
    }

    /// <summary>
    /// Deletes webhooks of erased customers. The erasure itself deletes most of them; this method also catches those that were subscribed at the same
    /// moment, or before this rule existed.
    /// </summary>
    private async Task EndErasedAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            WITH ended AS (
                DELETE FROM webhooks w USING recipients r WHERE r.customer_id = w.customer_id AND r.status = 'erased' RETURNING w.id::text AS ref)
            UPDATE notifications n SET status = 'failed', last_error = $1, leased_by = NULL, lease_until = NULL
            FROM ended WHERE n.channel = 'webhook' AND n.status = 'pending' AND n.recipient_ref = ended.ref
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Notification.CustomerErased });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task RepeatAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        int changed;
        do
        {
            await using var command = database.CreateCommand(sql);
            command.Parameters.AddRange(parameters.Select(parameter => parameter.Clone()).ToArray());
            changed = await command.ExecuteNonQueryAsync(cancellationToken);
        }
        while (changed == 1000);
    }
}

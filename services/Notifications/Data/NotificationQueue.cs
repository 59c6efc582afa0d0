using System.Text;
using Npgsql;
using NpgsqlTypes;
using OpenTelemetry;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.Data;

/// <summary>A notification that a sender has claimed.</summary>
internal sealed record ClaimedNotification(
    Guid Id, Guid? OrderId, Guid? CustomerId, string Template, string RecipientRef, string Data, string? TraceParent, int Attempts, int AttemptsBefore,
    string? Language, bool? Wanted, bool? Erased, string? StaffName, string? StaffAddress, long? OrderVersion)
{
    /// <summary>The template of a message about a later version of the order that was already sent, on any channel.</summary>
    public string? OvertakenBy { get; init; }

    /// <summary>Another sender is sending a message of the same order and channel: which of the two is later is known only when it is sent.</summary>
    public bool OthersSending { get; init; }

    /// <summary>Attempts that count towards giving up.</summary>
    public int AttemptsOfThisRound => Attempts - AttemptsBefore;
}

/// <summary>The result for a claimed notification.</summary>
/// <param name="Id">The notification.</param>
/// <param name="Status">Pending: due again after <paramref name="Delay"/>.</param>
/// <param name="Attempted">Whether it counts as an attempt.</param>
/// <param name="Delay">Wait until the next attempt.</param>
/// <param name="Error">For people to read; null clears it.</param>
/// <param name="Message">What was sent, or was to be sent.</param>
internal sealed record SendResult(Guid Id, NotificationStatus Status, bool Attempted, TimeSpan Delay = default, string? Error = null, RenderedMessage? Message = null)
{
    /// <summary>Released unchanged.</summary>
    public static SendResult Unchanged(Guid id) => new(id, NotificationStatus.Pending, Attempted: false);
}

/// <summary>A message as its receiver reads it, and the template it was made from; version 0 is the built-in template.</summary>
internal sealed record RenderedMessage(string Recipient, string? Subject, string Body, string? Html, string TemplateLanguage, long TemplateVersion);

/// <summary>
/// The notifications as a queue. Senders of all replicas claim from it concurrently: rows that another sender has locked are skipped, and rows
/// that another sender has leased are not claimed until the lease ends. All times are the database's.
/// </summary>
internal sealed class NotificationQueue(NpgsqlDataSource database)
{
    /// <summary>
    /// Stores what Customers says of customers whose <c>customer.updated</c> has not arrived yet, or is no longer kept by Kafka, as that event
    /// would have reported it. A row from an event that arrived meanwhile is not overwritten.
    /// </summary>
    public async Task StoreCustomersAsync(IReadOnlyList<CustomersClient.Customer> customers, CancellationToken cancellationToken)
    {
        customers = [.. customers.Where(c => c.Channels is not null && !string.Equals(c.Status, "erased", StringComparison.Ordinal))];
        if (customers.Count == 0)
        {
            return;
        }

        await using var command = database.CreateCommand(
            """
            INSERT INTO recipients (customer_id, version, status, language, email, sms, webhook)
            SELECT customer_id, version, 'active', language, email, sms, webhook
            FROM unnest($1, $2, $3, $4, $5, $6) AS c (customer_id, version, language, email, sms, webhook)
            ON CONFLICT (customer_id) DO NOTHING
            """);
        command.Parameters.Add(OutboxSql.Array(customers, c => c.Id, NpgsqlDbType.Uuid));
        command.Parameters.Add(OutboxSql.Array(customers, c => c.Version, NpgsqlDbType.Bigint));
        command.Parameters.Add(OutboxSql.Array(customers, c => c.Language ?? "en", NpgsqlDbType.Text));
        command.Parameters.Add(OutboxSql.Array(customers, c => c.Channels!.Email, NpgsqlDbType.Boolean));
        command.Parameters.Add(OutboxSql.Array(customers, c => c.Channels!.Sms, NpgsqlDbType.Boolean));
        command.Parameters.Add(OutboxSql.Array(customers, c => c.Channels!.Webhook, NpgsqlDbType.Boolean));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// The same notifications with what their customers want now, and with messages sent about their orders meanwhile. Querying the other services
    /// may have taken seconds, with retries, and a preference that changed in that time counts.
    /// </summary>
    public async Task<List<ClaimedNotification>> RefreshAsync(
        NotificationChannel channel, Guid claim, List<ClaimedNotification> claimed, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new("SELECT customer_id, CASE $2 WHEN 'email' THEN email ELSE sms END, status = 'erased' FROM recipients WHERE customer_id = ANY ($1)")
        {
            Parameters =
            {
                new() { Value = claimed.Select(n => n.CustomerId).OfType<Guid>().Distinct().ToArray() },
                new NpgsqlParameter<string> { TypedValue = NotificationsDb.Name(channel) },
            },
        });
        batch.BatchCommands.Add(new(
            """
            SELECT n.id,
                (SELECT l.template FROM notifications l WHERE l.order_id = n.order_id AND l.customer_id = n.customer_id AND l.channel <> 'webhook'
                    AND l.status = 'sent' AND l.order_version > n.order_version ORDER BY l.order_version DESC LIMIT 1),
                EXISTS (SELECT FROM notifications o WHERE o.order_id = n.order_id AND o.channel = $2 AND o.leased_by <> $3 AND o.lease_until > now())
            FROM notifications n WHERE n.id = ANY ($1) AND n.order_version IS NOT NULL
            """)
        {
            Parameters =
            {
                new() { Value = claimed.Select(n => n.Id).ToArray() },
                new NpgsqlParameter<string> { TypedValue = NotificationsDb.Name(channel) },
                new NpgsqlParameter<Guid> { TypedValue = claim },
            },
        });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var now = new Dictionary<Guid, (bool? Wanted, bool? Erased)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            now[reader.GetGuid(0)] = (reader.GetFieldValue<bool?>(1), reader.GetFieldValue<bool?>(2));
        }

        await reader.NextResultAsync(cancellationToken);
        var orders = new Dictionary<Guid, (string? OvertakenBy, bool OthersSending)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            orders[reader.GetGuid(0)] = (reader.GetStringOrNull(1), reader.GetBoolean(2));
        }

        return claimed.ConvertAll(n =>
        {
            var (overtakenBy, othersSending) = orders.GetValueOrDefault(n.Id);
            n = n with { OvertakenBy = overtakenBy, OthersSending = othersSending };
            return n.CustomerId is { } customer && now.TryGetValue(customer, out var recipient) ? n with { Wanted = recipient.Wanted, Erased = recipient.Erased } : n;
        });
    }

    /// <summary>Claims what is due, oldest first. Commits immediately: no transaction stays open while messages are sent.</summary>
    public async Task<List<ClaimedNotification>> ClaimAsync(NotificationChannel channel, Guid claim, int limit, TimeSpan lease, CancellationToken cancellationToken)
    {
        // This query mostly finds nothing and would otherwise fill the trace list with a trace per second.
        using var quiet = SuppressInstrumentationScope.Begin();
        // MATERIALIZED: inlined into a join, the LIMIT could be evaluated more than once and lock more than it returns.
        await using var command = database.CreateCommand(
            """
            WITH due AS MATERIALIZED (
                SELECT id, customer_id, CASE WHEN customer_id IS NULL THEN recipient_ref END AS staff_ref FROM notifications
                WHERE channel = $4 AND status = 'pending' AND next_attempt_at <= now() AND (lease_until IS NULL OR lease_until < now())
                ORDER BY next_attempt_at LIMIT $2
                FOR UPDATE SKIP LOCKED)
            UPDATE notifications n SET leased_by = $1, lease_until = now() + $3
            FROM due LEFT JOIN recipients r ON r.customer_id = due.customer_id LEFT JOIN staff s ON s.id::text = due.staff_ref
            WHERE n.id = due.id
            RETURNING n.id, n.order_id, n.customer_id, n.template, n.recipient_ref, n.data, n.trace_parent, n.attempts, n.attempts_before,
                coalesce(r.language, s.language), CASE $4 WHEN 'email' THEN coalesce(r.email, s.channel_email) ELSE coalesce(r.sms, s.channel_sms) END,
                r.status = 'erased', s.name, CASE $4 WHEN 'email' THEN s.email ELSE s.phone END, n.order_version
            """);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = claim });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = lease });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = NotificationsDb.Name(channel) });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var claimed = new List<ClaimedNotification>();
        while (await reader.ReadAsync(cancellationToken))
        {
            claimed.Add(new(
                reader.GetGuid(0), reader.GetFieldValue<Guid?>(1), reader.GetFieldValue<Guid?>(2), reader.GetString(3), reader.GetString(4),
                reader.GetString(5), reader.GetStringOrNull(6), reader.GetInt32(7), reader.GetInt32(8),
                reader.GetStringOrNull(9), reader.GetFieldValue<bool?>(10), reader.GetFieldValue<bool?>(11),
                reader.GetStringOrNull(12), reader.GetStringOrNull(13), reader.GetFieldValue<long?>(14)));
        }

        // RETURNING has no order; ids are in the order of recording.
        claimed.Sort((a, b) => a.Id.CompareTo(b.Id));
        SortVersions(claimed);
        return claimed;
    }

    /// <summary>Swaps the messages of an order into the order of its versions: order.updated may be recorded before order.created.</summary>
    private static void SortVersions(List<ClaimedNotification> claimed)
    {
        foreach (var order in claimed.Select((notification, at) => (notification, at)).Where(n => n.notification.OrderVersion is not null)
            .GroupBy(n => n.notification.OrderId).Where(order => order.Count() > 1).ToList())
        {
            foreach (var ((_, at), (notification, _)) in order.Zip(order.OrderBy(n => n.notification.OrderVersion)).ToList())
            {
                claimed[at] = notification;
            }
        }
    }

    /// <summary>
    /// Writes the results of a claim in one statement. A row whose claim is lost (the lease ended and another sender took it, or the
    /// customer was erased meanwhile) is not changed.
    /// </summary>
    public async Task FinishAsync(Guid claim, IReadOnlyList<SendResult> results, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            UPDATE notifications n
            SET status = m.status, attempts = n.attempts + m.attempted, next_attempt_at = now() + m.delay, last_error = m.error,
                sent_at = CASE m.status WHEN 'sent' THEN now() ELSE n.sent_at END,
                recipient = coalesce(m.recipient, n.recipient), subject = coalesce(m.subject, n.subject), body = coalesce(m.body, n.body),
                template_language = coalesce(m.language, n.template_language), template_version = coalesce(m.version, n.template_version),
                leased_by = NULL, lease_until = NULL
            FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS m (id, status, attempted, delay, error, recipient, subject, body, language, version)
            WHERE n.id = m.id AND n.leased_by = $1
            """);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = claim });
        command.Parameters.Add(OutboxSql.Array(results, r => r.Id, NpgsqlDbType.Uuid));
        command.Parameters.Add(OutboxSql.Array(results, r => NotificationsDb.Name(r.Status), NpgsqlDbType.Text));
        command.Parameters.Add(OutboxSql.Array(results, r => r.Attempted ? 1 : 0, NpgsqlDbType.Integer));
        command.Parameters.Add(OutboxSql.Array(results, r => r.Delay, NpgsqlDbType.Interval));
        command.Parameters.Add(OutboxSql.Array(results, r => Storable(r.Error), NpgsqlDbType.Text));
        command.Parameters.Add(OutboxSql.Array(results, r => r.Message?.Recipient, NpgsqlDbType.Text));
        command.Parameters.Add(OutboxSql.Array(results, r => r.Message?.Subject, NpgsqlDbType.Text));
        command.Parameters.Add(OutboxSql.Array(results, r => r.Message?.Body, NpgsqlDbType.Text));
        command.Parameters.Add(OutboxSql.Array(results, r => r.Message?.TemplateLanguage, NpgsqlDbType.Text));
        command.Parameters.Add(OutboxSql.Array(results, r => r.Message?.TemplateVersion, NpgsqlDbType.Bigint));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Makes a mail server's untrusted text storable: PostgreSQL accepts neither NUL nor half of a surrogate pair, and one bad text must not lose a
    /// batch's results.
    /// </summary>
    private static string? Storable(string? error)
    {
        const int longest = 1000;
        if (error is null)
        {
            return null;
        }

        var text = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(error.Length > longest ? error[..longest] : error));
        return text.Replace('\0', '\uFFFD');
    }
}

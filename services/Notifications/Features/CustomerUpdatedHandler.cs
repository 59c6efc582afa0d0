using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Customers;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Features;

/// <summary>customer.updated: stores the customer's language and channels; an erasure also removes what was written to them.</summary>
internal sealed class CustomerUpdatedHandler(WebhookRecorder webhooks, TimeProvider time) : IBatchHandler
{
    public async Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        await webhooks.RecordAsync(
            batch, [.. events.Select(e => new WebhookEventRow(e, null, OwnerOf((CustomerUpdated)e.Data), e.Time ?? time.GetUtcNow()))], cancellationToken);
        var customers = events.Select(e => (CustomerUpdated)e.Data).ToList();
        batch.Writes.BatchCommands.Add(Upsert(customers));
        var erased = customers.Where(c => c.Status == CustomerStatus.Erased).Select(c => c.CustomerId).ToArray();
        if (erased.Length > 0)
        {
            // Addresses of the customer's own webhooks are erased too; notifications recorded for these webhooks end.
            batch.Writes.BatchCommands.Add(new("DELETE FROM webhooks WHERE customer_id = ANY ($1)")
            {
                Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = erased } },
            });
            batch.Writes.BatchCommands.Add(Erase(erased));
        }
    }

    /// <summary>An erased customer has no webhooks of their own any more, not even for this event.</summary>
    private static Guid? OwnerOf(CustomerUpdated customer) => customer.Status == CustomerStatus.Erased ? null : customer.CustomerId;

    /// <summary>The newer version wins, within the batch too. Erased is final, whatever its version.</summary>
    private static NpgsqlBatchCommand Upsert(IReadOnlyList<CustomerUpdated> customers) => new(
        """
        INSERT INTO recipients (customer_id, version, status, language, email, sms, webhook)
        SELECT DISTINCT ON (customer_id) customer_id, version, status, language, email, sms, webhook
        FROM unnest($1, $2, $3, $4, $5, $6, $7) AS c (customer_id, version, status, language, email, sms, webhook)
        ORDER BY customer_id, version DESC
        ON CONFLICT (customer_id) DO UPDATE SET version = excluded.version, status = excluded.status, language = excluded.language,
            email = excluded.email, sms = excluded.sms, webhook = excluded.webhook
        WHERE recipients.version < excluded.version AND recipients.status = 'active'
        """)
    {
        Parameters =
        {
            OutboxSql.Array(customers, c => c.CustomerId, NpgsqlDbType.Uuid),
            OutboxSql.Array(customers, c => c.Version, NpgsqlDbType.Bigint),
            OutboxSql.Array(customers, c => NotificationsDb.Name(c.Status), NpgsqlDbType.Text),
            OutboxSql.Array(customers, c => c.Language, NpgsqlDbType.Text),
            OutboxSql.Array(customers, c => c.Channels.Email, NpgsqlDbType.Boolean),
            OutboxSql.Array(customers, c => c.Channels.Sms, NpgsqlDbType.Boolean),
            OutboxSql.Array(customers, c => c.Channels.Webhook, NpgsqlDbType.Boolean),
        },
    };

    /// <summary>
    /// The lease is removed too: a sender that is using the address at this moment loses its claim and cannot write the address
    /// back. (Checking for an erasure when the sender writes is not enough: it would see the state before this commit.)
    /// </summary>
    private static NpgsqlBatchCommand Erase(Guid[] erased) => new(
        """
        UPDATE notifications
        SET recipient = NULL, subject = NULL, body = NULL, leased_by = NULL, lease_until = NULL,
            status = CASE status WHEN 'pending' THEN 'failed' ELSE status END,
            last_error = CASE status WHEN 'pending' THEN $2 END
        WHERE customer_id = ANY ($1)
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid[]> { TypedValue = erased },
            new NpgsqlParameter<string> { TypedValue = Notification.CustomerErased },
        },
    };
}

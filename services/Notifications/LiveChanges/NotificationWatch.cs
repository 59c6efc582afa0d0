using System.Text.Json;
using Npgsql;
using OpenTelemetry;
using OrderInventory.Notifications.Data;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.LiveChanges;

/// <summary>
/// Polls for notifications that any replica recorded, sent or failed to send, while somebody listens. They have no topic: one more Kafka
/// record per mail would be expensive, whereas a query per second by the primary key is not.
/// </summary>
internal sealed partial class NotificationWatch(ChangeBuffer buffer, ChangeReader reader, NpgsqlDataSource database, TimeProvider time, ILogger<NotificationWatch> logger)
    : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    /// <summary>How far back each query looks: ids are in the order of creation, not of commit, so a row may appear late.</summary>
    private static readonly TimeSpan s_overlap = TimeSpan.FromSeconds(30);

    /// <summary>Maximum number of notifications per query, the newest ones. In a larger burst, some are reported only when they are sent.</summary>
    private const int MaxRows = 1000;

    private readonly Dictionary<Guid, (string Status, int Attempts)> _seen = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        var from = time.GetUtcNow();
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (reader.Listeners == 0)
            {
                _seen.Clear();
                from = time.GetUtcNow();
                continue;
            }

            try
            {
                await PollAsync(from, stoppingToken);
            }
            catch (NpgsqlException exception)
            {
                LogNoAnswer(exception.Message);
            }

            var back = time.GetUtcNow() - s_overlap;
            from = back > from ? back : from;
        }
    }

    private async Task PollAsync(DateTimeOffset from, CancellationToken cancellationToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin();
        var first = DatabaseValues.FirstIdOf(from.ToUnixTimeMilliseconds());
        await using var command = database.CreateCommand(
            """
            SELECT id, event_id, order_id, customer_id, template, channel, status, attempts, created_at, sent_at FROM notifications
            WHERE id = ANY(ARRAY(SELECT id FROM notifications WHERE id >= $1 ORDER BY id DESC LIMIT $2) || $3)
            ORDER BY id
            """);
        command.Parameters.Add(new() { Value = first });
        command.Parameters.Add(new() { Value = MaxRows });
        command.Parameters.Add(new() { Value = _seen.Where(n => n.Value.Status == "pending").Select(n => n.Key).ToArray() });
        var found = new HashSet<Guid>();
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            var (id, status, attempts) = (rows.GetGuid(0), rows.GetString(6), rows.GetInt32(7));
            found.Add(id);
            if (_seen.TryGetValue(id, out var known) && known == (status, attempts))
            {
                continue;
            }

            _seen[id] = (status, attempts);
            var (order, customer) = (rows.GetFieldValue<Guid?>(2), rows.GetFieldValue<Guid?>(3));
            // A delivery to the shop's webhooks is not a message to the customer.
            var owner = rows.GetString(4) == WebhookRecorder.Template ? null : customer;
            buffer.Add(new(ChangeKind.Notification, "notification.updated", id, order, owner, JsonSerializer.SerializeToUtf8Bytes(
                new
                {
                    id,
                    eventId = rows.GetGuid(1),
                    orderId = order,
                    customerId = customer,
                    template = rows.GetString(4),
                    channel = rows.GetString(5),
                    status,
                    attempts,
                    createdAt = rows.GetFieldValue<DateTimeOffset>(8),
                    sentAt = rows.GetFieldValue<DateTimeOffset?>(9),
                }, JsonSerializerOptions.Web)));
        }

        // Final notifications that the query no longer returns are forgotten; of very many pending ones, only the newest are remembered.
        var old = _seen.Where(n => !found.Contains(n.Key)).Select(n => n.Key).Concat(
            _seen.Where(n => n.Value.Status == "pending").Select(n => n.Key).OrderDescending().Skip(MaxRows)).ToList();
        old.ForEach(id => _seen.Remove(id));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The change stream cannot read notifications: {Reason}")]
    private partial void LogNoAnswer(string reason);
}

using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

[Collection(nameof(InfrastructureCollection))]
public sealed class NotificationCleanerTests(InfrastructureFixture infrastructure)
{
    [Fact]
    public async Task Deletes_old_sent_and_failed_notifications_and_no_pending_ones()
    {
        await using var customers = new CustomersServer();
        await customers.StartAsync();
        var pickup = Directory.CreateTempSubdirectory("pickup-");
        await using var app = await NotificationsApp.StartAsync(infrastructure, $"file://{pickup.FullName}", customers);
        var now = TimeProvider.System.GetUtcNow();
        async Task<Guid> RowAsync(string channel, string status, int days)
        {
            var id = Guid.CreateVersion7(now.AddDays(-days));
            await app.QueryAsync<int>(
                """
                INSERT INTO notifications (id, event_id, event_type, template, channel, recipient_ref, data, status, attempts, attempts_before, created_at, due_since, next_attempt_at)
                VALUES ($1, $1, 'order.created.v1', 'orderReceived', $2, 'x', '{}', $3, 0, 0, now(), now(), 'infinity')
                """,
                id, channel, status);
            return id;
        }

        Guid[] old = [await RowAsync("email", "sent", 101), await RowAsync("sms", "failed", 101), await RowAsync("webhook", "sent", 31)];
        Guid[] kept = [await RowAsync("email", "pending", 101), await RowAsync("email", "sent", 99), await RowAsync("webhook", "sent", 29)];
        var options = Options.Create(new NotificationOptions { Retention = TimeSpan.FromDays(100) });
        await Rounds.RunUntilAsync(
            time => new NotificationCleaner(app.Database, options, time, NullLogger<NotificationCleaner>.Instance),
            async () => await app.QueryAsync<long>("SELECT count(*) FROM notifications WHERE id = ANY ($1)", old) == 0,
            "what is old is forgotten");

        Assert.Equal(3L, await app.QueryAsync<long>("SELECT count(*) FROM notifications WHERE id = ANY ($1)", kept));
        pickup.Delete(recursive: true);
    }
}

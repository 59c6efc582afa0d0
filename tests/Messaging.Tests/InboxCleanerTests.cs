using Microsoft.Extensions.Logging.Abstractions;
using OrderInventory.Messaging.Inbox;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>The inbox does not grow forever.</summary>
[Collection(InfrastructureCollection.Name)]
public class InboxCleanerTests(InfrastructureFixture infrastructure)
{
    // Fails when nothing is deleted, or when an event made long ago but handled recently is deleted: its duplicate may still arrive.
    [Fact]
    public async Task Deletes_rows_older_than_the_retention_and_nothing_else()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var now = TimeProvider.System.GetUtcNow();
        var longAgo = now.AddDays(-31);
        var (old, late, recent) = (Guid.CreateVersion7(longAgo), Guid.CreateVersion7(longAgo), Guid.CreateVersion7(now));
        await bed.ExecuteAsync(
            "INSERT INTO inbox_messages (id, handled_at) VALUES ($1, now() - interval '31 d'), ($2, now() - interval '1 d'), ($3, now())", old, late, recent);
        var options = new MessagingOptions { InboxRetention = TimeSpan.FromDays(30) };
        await Rounds.RunUntilAsync(
            time => new InboxCleaner(bed.Database, options, time, NullLogger<InboxCleaner>.Instance),
            async () => await bed.ScalarAsync<long>("SELECT count(*) FROM inbox_messages WHERE id = $1", old) == 0,
            "The end of the old row");

        Assert.Equal(2, await bed.ScalarAsync<long>("SELECT count(*) FROM inbox_messages WHERE id = $1 OR id = $2", late, recent));
    }
}

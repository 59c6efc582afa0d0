using Npgsql;
using OrderInventory.Messaging.Outbox;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>Events of a key are published in the order of the aggregate's versions: no first occurrence is ever out of order.</summary>
[Collection(InfrastructureCollection.Name)]
public class OutboxOrderTests(InfrastructureFixture infrastructure)
{
    // Fails when rows are ordered by id or by time, which come from clocks that differ between replicas.
    [Fact]
    public async Task Events_are_ordered_by_version_even_against_ids_and_times()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var keys = Enumerable.Range(0, 10).Select(_ => Guid.CreateVersion7()).ToList();
        var now = TimeProvider.System.GetUtcNow();
        await bed.WriteAsync([.. keys.SelectMany(key => Enumerable.Range(1, 20).Reverse().Select(version => bed.Message(key, version, time: now.AddMinutes(-version))))]);
        await bed.ExecuteAsync("UPDATE outbox_messages SET id = ('00000000-0000-7000-8000-' || lpad((1000 - version)::text, 12, '0'))::uuid");

        await bed.StartAsync();

        await bed.OutboxIsEmptyAsync();
        await AssertInOrderAsync(bed, keys, 20);
    }

    // Fails when the relay remembers its position by id or by time, and so skips rows that commit behind it.
    [Fact]
    public async Task A_late_commit_is_not_skipped()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.StartAsync();
        var late = bed.Message(Guid.CreateVersion7(), 1);
        await using var connection = await bed.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var batch = new NpgsqlBatch(connection, transaction))
        {
            batch.AddOutbox(late);
            await batch.ExecuteNonQueryAsync();
        }

        // Newer ids, later times, keys on both sides, the same slot.
        var newer = Enumerable.Range(0, 5).Select(_ => bed.KeyInSlotOf(late)).ToList();
        await bed.WriteAsync([.. newer.Select(key => bed.Message(key, 1))]);
        await bed.AppliedAsync(5);

        await transaction.CommitAsync();
        await bed.AppliedAsync(Guid.Parse(late.Key), 1);
    }

    // Fails when a row refused by the producer's full queue is overtaken by the next row of its key.
    [Fact]
    public async Task A_full_producer_queue_does_not_change_the_order()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var keys = Enumerable.Range(0, 4).Select(_ => Guid.CreateVersion7()).ToList();
        await bed.WriteAsync([.. keys.SelectMany(key => Enumerable.Range(1, 100).Select(version => bed.Message(key, version)))]);

        await bed.StartAsync(("Aspire:Confluent:Kafka:Producer:Config:QueueBufferingMaxMessages", "10"));

        await bed.OutboxIsEmptyAsync();
        await AssertInOrderAsync(bed, keys, 100);
        Assert.Equal(0, await bed.DeadLettersAsync());
    }

    // Fails when a relay that goes on after it has lost its slots makes a first occurrence out of order, or when two relays publish the
    // same slot's rows alternately.
    [Fact]
    public async Task Slots_that_change_owners_under_load_keep_the_order()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.StartAsync(("Messaging:InstanceId", "one"));
        await bed.StartAsync(("Messaging:InstanceId", "two"));
        await OutboxSlotTests.BothOwnSlotsAsync(bed);
        var keys = Enumerable.Range(0, 30).Select(_ => Guid.CreateVersion7()).ToList();

        for (var version = 1; version <= 40; version++)
        {
            await bed.WriteAsync([.. keys.Select(key => bed.Message(key, version))]);
            // The effect of a stall longer than the lease, twenty times.
            if (version % 2 == 0)
            {
                await bed.ExecuteAsync("UPDATE outbox_slots SET owner = CASE owner WHEN 'one' THEN 'two' ELSE 'one' END, lease_until = now() + interval '10 s'");
            }
        }

        await bed.OutboxIsEmptyAsync();
        await AssertInOrderAsync(bed, keys, 40);
        Assert.Equal(30 * 40, (await bed.AppliedAsync(30 * 40)).Count);
    }

    internal static async Task AssertInOrderAsync(TestBed bed, IEnumerable<Guid> keys, int versions)
    {
        var published = (await bed.FirstOccurrencesAsync(bed.Changed.Topic)).ToLookup(e => e.Key, e => e.Version);
        Assert.All(keys, key => Assert.Equal(Enumerable.Range(1, versions).Select(version => (long)version), published[key]));
    }
}

using OrderInventory.Messaging.Outbox;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>Replicas share the outbox by leases on its slots.</summary>
[Collection(InfrastructureCollection.Name)]
public class OutboxSlotTests(InfrastructureFixture infrastructure)
{
    // Fails when the second replica gets no slot, when a slot is left without an owner, or when rows written by one are not seen by the other.
    [Fact]
    public async Task Two_relays_share_the_slots_and_publish_everything()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.StartAsync(("Messaging:InstanceId", "one"));
        await bed.StartAsync(("Messaging:InstanceId", "two"));
        await BothOwnSlotsAsync(bed);
        var keys = Enumerable.Range(0, 50).Select(_ => Guid.CreateVersion7()).ToList();

        await Task.WhenAll(keys.Chunk(10).Select(async mine =>
        {
            for (var version = 1; version <= 10; version++)
            {
                await bed.WriteAsync([.. mine.Select(key => bed.Message(key, version))]);
            }
        }));

        await bed.OutboxIsEmptyAsync();
        await OutboxOrderTests.AssertInOrderAsync(bed, keys, 10);
        Assert.Equal(500, (await bed.AppliedAsync(500)).Count);
    }

    // Fails when a stopped replica keeps its slots until their leases end.
    [Fact]
    public async Task A_stopped_relay_releases_its_slots()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync(("Messaging:InstanceId", "one"));
        await Eventually.TrueAsync(async () => await OwnedByAsync(bed, "one") == OutboxMessage.SlotCount, TestBed.Timeout, "All slots");

        await bed.StopAsync(service);

        Assert.Equal(0, await bed.ScalarAsync<long>("SELECT count(*) FROM outbox_slots WHERE owner IS NOT NULL"));
        Assert.Equal(0, await bed.ScalarAsync<long>("SELECT count(*) FROM outbox_relay_heartbeats"));
    }

    // Fails when the slots of a dead replica are never taken over.
    [Fact]
    public async Task A_killed_relays_slots_are_taken_over_when_their_lease_has_ended()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        // The state some seconds after kill -9: the last heartbeat was eight seconds ago, and the leases have two seconds left.
        await bed.ExecuteAsync("INSERT INTO outbox_relay_heartbeats (owner, seen_at) VALUES ('killed', now() - interval '8 s')");
        await bed.ExecuteAsync("UPDATE outbox_slots SET owner = 'killed', lease_until = now() + interval '2 s'");
        var keys = Enumerable.Range(0, 40).Select(_ => Guid.CreateVersion7()).ToList();
        await bed.WriteAsync([.. keys.Select(key => bed.Message(key, 1))]);

        await bed.StartAsync(("Messaging:InstanceId", "other"));

        Assert.Equal(40, (await bed.AppliedAsync(40)).Count);
        Assert.Equal(OutboxMessage.SlotCount, await OwnedByAsync(bed, "other"));
    }

    // Fails when a renewal that waited for another replica's takeover of a slot then takes that slot from its new owner: nobody would
    // relay it until the next round.
    [Fact]
    public async Task A_late_renewal_does_not_take_back_slots_that_were_taken_over()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.StartAsync(("Messaging:InstanceId", "slow"));
        await Eventually.TrueAsync(async () => await OwnedByAsync(bed, "slow") == OutboxMessage.SlotCount, TestBed.Timeout, "All slots");

        await using var connection = await bed.Database.OpenConnectionAsync();
        await using var takeover = await connection.BeginTransactionAsync();
        await using (var command = connection.CreateCommand())
        {
            command.CommandText = "UPDATE outbox_slots SET owner = 'new', lease_until = now() + interval '1 h' WHERE slot = 5";
            await command.ExecuteNonQueryAsync();
        }

        await Eventually.TrueAsync(
            async () => await bed.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0,
            TestBed.Timeout, "A renewal that waits");
        var seen = await bed.ScalarAsync<DateTime>("SELECT seen_at FROM outbox_relay_heartbeats WHERE owner = 'slow'");
        await takeover.CommitAsync();
        await Eventually.TrueAsync(
            async () => await bed.ScalarAsync<DateTime>("SELECT seen_at FROM outbox_relay_heartbeats WHERE owner = 'slow'") > seen,
            TestBed.Timeout, "The end of the renewal");

        Assert.Equal("new", await bed.ScalarAsync<object>("SELECT owner FROM outbox_slots WHERE slot = 5"));
    }

    internal static Task BothOwnSlotsAsync(TestBed bed) => Eventually.TrueAsync(
        async () => await OwnedByAsync(bed, "one") == OutboxMessage.SlotCount / 2 && await OwnedByAsync(bed, "two") == OutboxMessage.SlotCount / 2,
        TestBed.Timeout, "An even share of the slots");

    private static Task<long> OwnedByAsync(TestBed bed, string owner)
        => bed.ScalarAsync<long>("SELECT count(*) FROM outbox_slots WHERE owner = $1 AND lease_until > now()", owner);
}

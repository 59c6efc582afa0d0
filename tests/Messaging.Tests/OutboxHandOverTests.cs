using Microsoft.Extensions.DependencyInjection;
using OrderInventory.Messaging.Outbox;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>A replica hands its committed rows to its relay in memory. The table stays authoritative, and the order within a key holds.</summary>
[Collection(InfrastructureCollection.Name)]
public class OutboxHandOverTests(InfrastructureFixture infrastructure)
{
    /// <summary>Longer than any test: what is published comes from memory, or the relay knew that it had to query the table.</summary>
    private static readonly (string, string) s_neverPolls = ("Messaging:IdlePoll", "01:00:00");

    // Fails when a commit that is handed over waits for the next query of the table, or leaves its rows there.
    [Fact]
    public async Task Publishes_without_reading_the_table_and_deletes_the_rows()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync(s_neverPolls);
        var keys = Enumerable.Range(0, 20).Select(_ => Guid.CreateVersion7()).ToList();

        for (var version = 1; version <= 10; version++)
        {
            service.HandOver(await service.WriteAsync([.. keys.Select(key => bed.Message(key, version))]));
        }

        await bed.AppliedAsync(200);
        await bed.OutboxIsEmptyAsync();
        Assert.Equal(200, (await bed.Kafka.ReadAsync(bed.Changed.Topic)).Count);
        await OutboxOrderTests.AssertInOrderAsync(bed, keys, 10);
    }

    // Fails when the commits of one key are published in the order of their hand-over: after a commit, threads race.
    [Fact]
    public async Task Versions_that_are_handed_over_out_of_order_are_published_in_order()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync(s_neverPolls);
        var keys = Enumerable.Range(0, 20).Select(_ => Guid.CreateVersion7()).ToList();
        var writes = new List<OutboxWrite>();
        for (var version = 1; version <= 5; version++)
        {
            writes.Add(await service.WriteAsync([.. keys.Select(key => bed.Message(key, version))]));
        }

        writes.Reverse();
        writes.ForEach(service.HandOver);

        await bed.AppliedAsync(100);
        await bed.OutboxIsEmptyAsync();
        await OutboxOrderTests.AssertInOrderAsync(bed, keys, 5);
    }

    // Fails when a replica publishes its version of a key while an earlier one, committed by another replica, is still in the table.
    [Fact]
    public async Task An_earlier_version_of_another_process_is_published_first()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync(s_neverPolls);
        var keys = Enumerable.Range(0, 20).Select(_ => Guid.CreateVersion7()).ToList();

        await bed.WriteAsync([.. keys.Select(key => bed.Message(key, 1))]);
        service.HandOver(await service.WriteAsync([.. keys.Select(key => bed.Message(key, 2))]));

        await bed.OutboxIsEmptyAsync();
        await OutboxOrderTests.AssertInOrderAsync(bed, keys, 2);
    }

    // Fails when rows handed over to a replica that does not own the slot are lost, or when the two replicas together break the order.
    [Fact]
    public async Task Two_replicas_that_change_the_same_keys_alternately_keep_the_order_while_slots_change_owners()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var one = await bed.StartAsync(("Messaging:InstanceId", "one"));
        var two = await bed.StartAsync(("Messaging:InstanceId", "two"));
        await OutboxSlotTests.BothOwnSlotsAsync(bed);
        var keys = Enumerable.Range(0, 30).Select(_ => Guid.CreateVersion7()).ToList();

        for (var version = 1; version <= 40; version++)
        {
            var replica = version % 2 == 0 ? one : two;
            replica.HandOver(await replica.WriteAsync([.. keys.Select(key => bed.Message(key, version))]));
            if (version % 4 == 0)
            {
                await bed.ExecuteAsync("UPDATE outbox_slots SET owner = CASE owner WHEN 'one' THEN 'two' ELSE 'one' END, lease_until = now() + interval '10 s'");
            }
        }

        await bed.OutboxIsEmptyAsync();
        await OutboxOrderTests.AssertInOrderAsync(bed, keys, 40);
    }

    // Fails when a broker outage fills the memory, loses rows that no longer fit into it, or reorders them.
    [Fact]
    public async Task Rows_beyond_the_memory_limit_wait_in_the_table_while_the_broker_is_down()
    {
        using var broker = new FaultyBroker();
        await using var bed = await TestBed.CreateAsync(infrastructure, broker);
        var service = await bed.StartAsync();
        var keys = Enumerable.Range(0, 100).Select(_ => Guid.CreateVersion7()).ToList();
        service.HandOver(await service.WriteAsync([.. keys.Select(key => bed.Message(key, 1))]));
        await bed.AppliedAsync(100);

        broker.GoDown();
        for (var version = 2; version <= 30; version++)
        {
            service.HandOver(await service.WriteAsync([.. keys.Select(key => bed.Message(key, version))]));
        }

        broker.ComeBack();
        await bed.AppliedAsync(3000);
        await bed.OutboxIsEmptyAsync();
        await OutboxOrderTests.AssertInOrderAsync(bed, keys, 30);
    }

    // Fails when a relay that cannot proceed queries the table again and again: during a broker outage that would overload the machine.
    [Fact]
    public async Task A_relay_that_waits_for_the_broker_does_not_query_the_database()
    {
        using var broker = new FaultyBroker();
        await using var bed = await TestBed.CreateAsync(infrastructure, broker);
        var service = await bed.StartAsync(s_neverPolls, ("Messaging:InstanceId", "one"));
        var first = bed.Message(Guid.CreateVersion7(), 1);
        service.HandOver(await service.WriteAsync(first));
        await bed.AppliedAsync(1);

        broker.GoDown();
        // More rows of one slot than one query of the table returns.
        await service.WriteAsync([.. Enumerable.Range(0, 300).Select(_ => bed.Message(bed.KeyInSlotOf(first), 1))]);
        service.Services.GetRequiredService<OutboxSignal>().Wake();
        await RenewalAsync(bed);
        using (var statements = new StatementCount(TestService.DatabaseName))
        {
            await RenewalAsync(bed);
            // In three seconds: a renewal, and at most one query for each of two wake-ups that were under way.
            Assert.InRange(statements.Count, 1, 5);
        }

        broker.ComeBack();
        await bed.AppliedAsync(301);
        await bed.OutboxIsEmptyAsync();
    }

    private static async Task RenewalAsync(TestBed bed)
    {
        var seen = await bed.ScalarAsync<DateTime>("SELECT seen_at FROM outbox_relay_heartbeats WHERE owner = 'one'");
        await Eventually.TrueAsync(
            async () => await bed.ScalarAsync<DateTime>("SELECT seen_at FROM outbox_relay_heartbeats WHERE owner = 'one'") > seen, TestBed.Timeout, "A renewal of the leases");
    }

    // Fails when rows are lost with a replica that dies after the commit and before the hand-over.
    [Fact]
    public async Task A_commit_that_nobody_handed_over_is_found_in_the_table()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        var key = Guid.CreateVersion7();

        await service.WriteAsync(bed.Message(key, 1));

        await bed.AppliedAsync(key, 1);
        await bed.OutboxIsEmptyAsync();
    }
}

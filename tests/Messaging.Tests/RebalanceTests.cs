using Confluent.Kafka;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>A move of partitions does not change any effect.</summary>
[Collection(InfrastructureCollection.Name)]
public class RebalanceTests(InfrastructureFixture infrastructure)
{
    // Fails when events that a replica is handling while its partitions move to another one are lost, duplicated, or applied out of order.
    [Fact]
    public async Task Every_event_has_one_effect_while_replicas_come_and_go_under_load()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var stays = await bed.StartAsync();
        var keys = Enumerable.Range(0, 40).Select(_ => Guid.CreateVersion7()).ToList();
        var version = 0;
        await SendAsync();
        await bed.AppliedAsync(40);

        var goes = await bed.StartAsync();
        await FlowUntilAsync(() => goes.Handler.Handled > 0);
        await SendAsync();
        await bed.StopAsync(goes);
        var (sent, handled) = (version, stays.Handler.Handled);
        await FlowUntilAsync(() => version >= sent + 5 && stays.Handler.Handled > handled);

        var effects = await bed.AppliedAsync(40 * version);
        Assert.All(keys, key => Assert.Equal(
            Enumerable.Range(1, version).Select(v => (long)v), effects.Where(effect => effect.Key == key).Select(effect => effect.Version)));
        Assert.Equal(0, await bed.DeadLettersAsync());
        await bed.OutboxIsEmptyAsync();
        Assert.Equal(40 * version, (await bed.FirstOccurrencesAsync(bed.Noted.Topic)).Count);

        async Task SendAsync()
        {
            version++;
            await Task.WhenAll(keys.Select(key => bed.SendAsync(new(key, version, ""))));
        }

        Task FlowUntilAsync(Func<bool> enough) => Eventually.TrueAsync(
            async () =>
            {
                await SendAsync();
                return enough();
            },
            TestBed.Timeout, "The rebalance");
    }

    // On a real Kafka: fails when a consumer that the broker has fenced off (another member joined with its static name) never consumes again.
    [Fact]
    public async Task A_fenced_consumer_starts_again()
    {
        if (!infrastructure.KafkaIsReal)
        {
            // The mock does not support static membership, so only the default is checked there: it is off.
            Assert.False(new MessagingOptions().StaticMembership);
            return;
        }

        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync(("Messaging:StaticMembership", "true"), ("Messaging:InstanceId", "things-1"));
        var key = Guid.CreateVersion7();
        await bed.SendAsync(new(key, 1, ""));
        await bed.AppliedAsync(key, 1);

        using (var rival = new GroupMember(bed, "things-1"))
        {
            await Eventually.TrueAsync(() => service.Log.Lines.Any(line => line.Contains("The consumer restarts", StringComparison.Ordinal)), TestBed.Timeout, "The fenced consumer");
        }

        await bed.SendAsync(new(key, 2, ""));
        await bed.AppliedAsync(key, 2);
        Assert.Equal([1, 2], (await bed.EffectsAsync()).Select(effect => effect.Version));
    }
}

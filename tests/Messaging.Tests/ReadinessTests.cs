using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>Ready means consuming: the check 'consumer' of /health.</summary>
[Collection(InfrastructureCollection.Name)]
public class ReadinessTests(InfrastructureFixture infrastructure)
{
    // Fails when the service is ready before it consumes, never becomes ready, or is taken out of service because a broker is down for a while.
    [Fact]
    public async Task Unhealthy_before_the_first_assignment_healthy_after_it_and_degraded_without_a_broker()
    {
        using var broker = new FaultyBroker();
        await using var bed = await TestBed.CreateAsync(infrastructure, broker);
        broker.GoDown();
        var service = await bed.StartAsync();

        Assert.Equal(HealthStatus.Unhealthy, (await service.ConsumerHealthAsync()).Status);
        using (var response = await service.Client.GetAsync("/health"))
        {
            Assert.Equal(503, (int)response.StatusCode);
        }

        broker.ComeBack();
        await BecomesAsync(service, HealthStatus.Healthy);
        broker.GoDown();
        await BecomesAsync(service, HealthStatus.Degraded);
        using (var response = await service.Client.GetAsync("/health"))
        {
            Assert.Equal(200, (int)response.StatusCode);
        }

        broker.ComeBack();
        await BecomesAsync(service, HealthStatus.Healthy);
        var key = Guid.CreateVersion7();
        await bed.SendAsync(new(key, 1, ""));
        await bed.AppliedAsync(key, 1);
    }

    // Fails when a replica without a partition never becomes ready. A real Kafka gives each partition to one of the members that come
    // first by name ('a…' before 'rdkafka'), so the service gets none; the mock may assign them to any member.
    [Fact]
    public async Task Healthy_with_an_assignment_without_partitions()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.SendAsync(new(Guid.CreateVersion7(), 1, ThingChanged.OfNoConcern));
        var partitions = bed.Kafka.Partitions(bed.Changed.Topic);
        var members = Enumerable.Range(0, partitions).Select(_ => new GroupMember(bed)).ToList();
        try
        {
            await Eventually.TrueAsync(() => members.All(member => member.Partitions == 1), TestBed.Timeout, "A partition for each member");

            var service = await bed.StartAsync();

            await BecomesAsync(service, HealthStatus.Healthy);
            if (infrastructure.KafkaIsReal)
            {
                Assert.Contains(service.Log.Lines, line => line.Contains("0 partitions assigned", StringComparison.Ordinal));
            }
        }
        finally
        {
            members.ForEach(member => member.Dispose());
        }
    }

    private static Task BecomesAsync(TestService service, HealthStatus status) => Eventually.TrueAsync(
        async () => (await service.ConsumerHealthAsync()).Status == status, TestBed.Timeout, $"The status {status}");
}

using Confluent.Kafka;
using Microsoft.Extensions.Time.Testing;
using OrderInventory.Messaging.Kafka;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>
/// Whether a client loses all its brokers depends on a race in librdkafka; docs/guarantees.md names the campaign that found it on a busy
/// machine.
/// </summary>
public sealed class BrokerRebootstrapTests
{
    private readonly FakeTimeProvider _time = new();

    // Fails when a client that has lost all its brokers stays without: its records would wait forever.
    [Fact]
    public async Task A_client_without_a_broker_returns_to_the_configured_ones()
    {
        using var broker = new FaultyBroker();
        using var producer = new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = "127.0.0.1:1", MessageTimeoutMs = 0 })
            .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        var rebootstrap = new BrokerRebootstrap(broker.Address, _time);
        var sent = producer.ProduceAsync("things", new() { Key = "1", Value = "" });

        Assert.False(RemindAfter(11));
        Assert.False(sent.IsCompleted);
        Assert.True(RemindAfter(1));
        await sent.WaitAsync(TimeSpan.FromSeconds(30));

        bool RemindAfter(int seconds)
        {
            _time.Advance(TimeSpan.FromSeconds(seconds));
            return rebootstrap.RunWhenDue(producer);
        }
    }

    // Fails when a client without problems is given the brokers again and again: librdkafka keeps each list that it is given.
    [Fact]
    public void A_client_that_makes_progress_gets_no_reminder()
    {
        using var producer = new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = "127.0.0.1:1" })
            .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        var rebootstrap = new BrokerRebootstrap("127.0.0.1:2", _time);
        rebootstrap.Progressed();
        _time.Advance(TimeSpan.FromHours(1));
        Assert.False(rebootstrap.RunWhenDue(producer));
        rebootstrap.Stalled();
        _time.Advance(TimeSpan.FromSeconds(11));
        // Still the same stall.
        rebootstrap.Stalled();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(rebootstrap.RunWhenDue(producer));
    }

    // Fails when a broker that is down for days makes the client go through ever more lists, or when the reminders stop in the end.
    [Fact]
    public void Reminders_become_rarer_down_to_one_in_five_minutes()
    {
        var client = new Counted();
        var rebootstrap = new BrokerRebootstrap("127.0.0.1:1", _time);
        for (var second = 0; second < 24 * 60 * 60; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            rebootstrap.RunWhenDue(client);
            if (second == 12 + 24 + 48)
            {
                Assert.Equal(3, client.Reminders);
            }
        }

        Assert.InRange(client.Reminders, (24 * 60 / 5) - 5, (24 * 60 / 5) + 5);
        rebootstrap.Progressed();
        rebootstrap.Stalled();
        _time.Advance(TimeSpan.FromSeconds(12));
        var before = client.Reminders;
        rebootstrap.RunWhenDue(client);
        Assert.Equal(before + 1, client.Reminders);
    }

    private sealed class Counted : IClient
    {
        public int Reminders { get; private set; }
        public Handle Handle => throw new NotSupportedException();
        public string Name => "counted";

        public int AddBrokers(string brokers) => ++Reminders;
        public void SetSaslCredentials(string username, string password) => throw new NotSupportedException();
        public void Dispose() => GC.SuppressFinalize(this);
    }
}

using Confluent.Kafka;

namespace OrderInventory.Messaging.Kafka;

/// <summary>
/// Names the configured brokers to a client again when it has got nowhere for a while. librdkafka forgets brokers that metadata does not name.
/// The only broker of a cluster, after it was frozen for longer than its session, first answers with metadata that names none; then the client is
/// left without any and does not always begin with the configured ones again (seen with 2.16: a consumer that waited for ever to commit). A broker
/// that is named although the client knows it is forgotten with the next metadata.
/// </summary>
/// <param name="brokers">Those of the configuration, as <c>bootstrap.servers</c> has them.</param>
/// <param name="time">Tells how long a client has waited.</param>
public sealed class BrokerReminder(string brokers, TimeProvider time)
{
    /// <summary>A session times out after 8 s, and a group takes a few more to begin anew.</summary>
    private static readonly TimeSpan s_after = TimeSpan.FromSeconds(12);

    private long? _waitsSince = time.GetTimestamp();

    /// <summary>It has partitions to read, or nothing to send.</summary>
    public void GetsOn() => _waitsSince = null;

    /// <summary>It waits for brokers until <see cref="GetsOn"/>.</summary>
    public void Waits() => _waitsSince ??= time.GetTimestamp();

    /// <summary>Call it from time to time. True when a client begins with a broker that it did not have.</summary>
    public bool RemindWhenDue(params IReadOnlyList<IClient> clients)
    {
        if (_waitsSince is not { } since || time.GetElapsedTime(since) < s_after)
        {
            return false;
        }

        _waitsSince = time.GetTimestamp();
        return clients.Sum(client => client.AddBrokers(brokers)) > 0;
    }
}

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
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(12);

    /// <summary>librdkafka keeps each list that it is told, and goes through all of them at each attempt to connect: a broker may be away for days.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(5);

    private TimeSpan _pause = s_first;
    private long? _waitsSince = time.GetTimestamp();

    /// <summary>It has partitions to read, or nothing to send.</summary>
    public void GetsOn() => (_waitsSince, _pause) = (null, s_first);

    /// <summary>It waits for brokers until <see cref="GetsOn"/>.</summary>
    public void Waits() => _waitsSince ??= time.GetTimestamp();

    /// <summary>Call it from time to time: it reminds after 12 s, and then twice as late each time. True when it did. A client that knows the brokers goes on with them.</summary>
    public bool RemindWhenDue(params IReadOnlyList<IClient> clients)
    {
        if (_waitsSince is not { } since || time.GetElapsedTime(since) < _pause)
        {
            return false;
        }

        _waitsSince = time.GetTimestamp();
        _pause = TimeSpan.FromTicks(Math.Min(_pause.Ticks * 2, s_longest.Ticks));
        foreach (var client in clients)
        {
            client.AddBrokers(brokers);
        }

        return true;
    }
}

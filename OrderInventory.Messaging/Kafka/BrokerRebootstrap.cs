using Confluent.Kafka;

namespace OrderInventory.Messaging.Kafka;

/// <summary>
/// Gives a client its configured brokers again when it has made no progress for a while. librdkafka forgets brokers that metadata does not name.
/// The only broker of a cluster, after it was frozen for longer than its session, first answers with metadata that names none; then the client is
/// left without a broker and does not always return to the configured ones (seen with 2.16: a consumer that waited for ever to commit). A broker
/// that is named although the client knows it is forgotten with the next metadata.
/// </summary>
/// <param name="brokers">Those of the configuration, as <c>bootstrap.servers</c> has them.</param>
/// <param name="time">Tells how long a client has waited.</param>
public sealed class BrokerRebootstrap(string brokers, TimeProvider time)
{
    /// <summary>A session times out after 8 s, and a group needs a few more seconds to form again.</summary>
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(12);

    /// <summary>librdkafka keeps every list that it is given and tries all of them at each attempt to connect, and a broker may be away for days.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(5);

    private TimeSpan _pause = s_first;
    private long? _waitsSince = time.GetTimestamp();

    /// <summary>It has partitions to read, or nothing to send.</summary>
    public void Progressed() => (_waitsSince, _pause) = (null, s_first);

    /// <summary>It waits for brokers until <see cref="Progressed"/>.</summary>
    public void Stalled() => _waitsSince ??= time.GetTimestamp();

    /// <summary>Call it from time to time. It runs after 12 s without progress, then after twice as long each time. True when it ran. A client that still knows the brokers is not disturbed.</summary>
    public bool RunWhenDue(params IReadOnlyList<IClient> clients)
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

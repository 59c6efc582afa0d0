using Confluent.Kafka;

namespace OrderInventory.Messaging.Kafka;

/// <summary>
/// Gives a client its configured brokers again when it has made no progress for a while. librdkafka forgets brokers that metadata does not name.
/// If the only broker of a cluster was frozen for longer than its session, its first metadata response names no broker. The client is then
/// left without a broker and does not always return to the configured ones (seen with 2.16: a consumer waited indefinitely to commit). Adding a
/// broker that the client still knows does no harm: the client forgets the duplicate with the next metadata.
/// </summary>
/// <param name="brokers">The configured brokers, in the format of <c>bootstrap.servers</c>.</param>
/// <param name="time">Measures how long a client has waited.</param>
public sealed class BrokerRebootstrap(string brokers, TimeProvider time)
{
    /// <summary>First pause: a session times out after 8 s, and a group needs a few more seconds to form again.</summary>
    private static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(12);

    /// <summary>
    /// Longest pause, because librdkafka keeps every list that it is given and tries all of them at each attempt to connect, and a broker may be
    /// unavailable for days.
    /// </summary>
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(5);

    private TimeSpan _pause = s_firstPause;
    private long? _waitingSince = time.GetTimestamp();

    /// <summary>The client has partitions to read, or nothing to send.</summary>
    public void Progressed() => (_waitingSince, _pause) = (null, s_firstPause);

    /// <summary>The client waits for brokers, until <see cref="Progressed"/> is called.</summary>
    public void Stalled() => _waitingSince ??= time.GetTimestamp();

    /// <summary>
    /// Call it regularly. It adds the brokers after 12 s without progress, then after twice as long each time, and returns true when it did. A client
    /// that still knows its brokers is not disturbed.
    /// </summary>
    public bool RunWhenDue(params IReadOnlyList<IClient> clients)
    {
        if (_waitingSince is not { } since || time.GetElapsedTime(since) < _pause)
        {
            return false;
        }

        _waitingSince = time.GetTimestamp();
        _pause = TimeSpan.FromTicks(Math.Min(_pause.Ticks * 2, s_longestPause.Ticks));
        foreach (var client in clients)
        {
            client.AddBrokers(brokers);
        }

        return true;
    }
}

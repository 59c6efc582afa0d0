using Confluent.Kafka;

namespace OrderInventory.Messaging.Tests;

/// <summary>A member of the test service's group that takes partitions and does nothing with them.</summary>
internal sealed class GroupMember : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private volatile int _partitions;

    /// <param name="bed">Its group and topic are used.</param>
    /// <param name="instance">A static name, which at most one member of the group has.</param>
    public GroupMember(TestBed bed, string? instance = null) => _loop = Task.Factory.StartNew(
        () => Run(bed, instance), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>How many partitions the member has now.</summary>
    public int Partitions => _partitions;

    public void Dispose()
    {
        _stop.Cancel();
        _loop.Wait(TestBed.Timeout);
        _stop.Dispose();
    }

    private void Run(TestBed bed, string? instance)
    {
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = bed.Broker,
            GroupId = bed.Group,
            GroupInstanceId = instance,
            // A broker names members by the client id and assigns partitions in the order of their names.
            ClientId = "a",
            SessionTimeoutMs = 8000,
            HeartbeatIntervalMs = 500,
            EnableAutoCommit = false,
        })
            .SetPartitionsAssignedHandler((_, partitions) => _partitions = partitions.Count)
            .SetPartitionsRevokedHandler((_, _) => _partitions = 0)
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .Build();
        consumer.Subscribe(bed.Changed.Topic);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                consumer.Consume(TimeSpan.FromMilliseconds(50));
            }
            catch (ConsumeException)
            {
                // For example because this member has been fenced off.
            }
        }

        consumer.Close();
    }
}

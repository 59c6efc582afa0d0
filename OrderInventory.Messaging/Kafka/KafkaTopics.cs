using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;

namespace OrderInventory.Messaging.Kafka;

internal static class KafkaTopicNames
{
    /// <summary>The topic for copies of a group's dead letters of a topic, for people to read.</summary>
    public static string DeadLetters(string topic, string group) => $"{topic}.{group}.dlq";
}

/// <summary>
/// Creates the topics of this service with the configured number of partitions before any of its clients uses them: a broker that
/// creates a topic automatically uses its own default, and raising that number later would move keys to other partitions.
/// </summary>
internal sealed partial class KafkaTopics(MessagingOptions options, ILogger<KafkaTopics> logger) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private bool _done;

    /// <summary>Returns when the topics exist; waits for as long as the broker is unavailable.</summary>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            while (!_done)
            {
                try
                {
                    await CreateAsync();
                    _done = true;
                }
                catch (KafkaException exception)
                {
                    LogWaiting(exception.Error.Reason);
                    await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
                }
            }
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task CreateAsync()
    {
        var wanted = options.Topics
            .Select(topic => new TopicSpecification { Name = topic, NumPartitions = options.Partitions, ReplicationFactor = -1 })
            .Concat(options.ConsumedTopics
                .Select(topic => new TopicSpecification { Name = KafkaTopicNames.DeadLetters(topic, options.Group), NumPartitions = 1, ReplicationFactor = -1 }))
            .ToList();
        using var admin = options.CreateAdminClient();
        try
        {
            if (options.CreateTopics)
            {
                await admin.CreateTopicsAsync(wanted, new() { RequestTimeout = TimeSpan.FromSeconds(10) });
            }
        }
        catch (CreateTopicsException exception) when (exception.Results.All(r => !r.Error.IsError || r.Error.Code == ErrorCode.TopicAlreadyExists))
        {
            // Another replica or another service was first.
        }
        catch (KafkaException exception) when (exception.Error.Code is ErrorCode.Local_UnsupportedFeature or ErrorCode.UnsupportedVersion)
        {
            // Such a broker creates a topic at the first metadata request for it, which follows below.
            LogMadeByBroker();
        }

        // A new topic takes a moment to be known; a consumer that subscribes before that starts with an error.
        foreach (var topic in wanted)
        {
            var known = admin.GetMetadata(topic.Name, TimeSpan.FromSeconds(10)).Topics.Single();
            if (known.Error.IsError)
            {
                throw new KafkaException(known.Error);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The topics do not exist yet: {Reason}")]
    private partial void LogWaiting(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "This broker creates topics automatically, with its own number of partitions")]
    private partial void LogMadeByBroker();
}

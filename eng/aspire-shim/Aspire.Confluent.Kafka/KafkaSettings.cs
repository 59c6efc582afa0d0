using Confluent.Kafka;

namespace Aspire.Confluent.Kafka;

// DisableMetrics and DisableTracing are accepted; the instrumentation that the real package vendors is not part of the shim.
public sealed class KafkaProducerSettings
{
    public string? ConnectionString { get; set; }
    public ProducerConfig Config { get; } = new();
    public bool DisableMetrics { get; set; }
    public bool DisableHealthChecks { get; set; }
    public bool DisableTracing { get; set; }

    internal void Validate()
    {
        if (string.IsNullOrEmpty(Config.BootstrapServers))
        {
            throw new InvalidOperationException("No bootstrap servers configured.");
        }
    }
}

public sealed class KafkaConsumerSettings
{
    public string? ConnectionString { get; set; }
    public ConsumerConfig Config { get; } = new();
    public bool DisableMetrics { get; set; }
    public bool DisableHealthChecks { get; set; }
    public bool DisableTracing { get; set; }

    internal void Validate()
    {
        if (Config.BootstrapServers is null)
        {
            throw new InvalidOperationException("No bootstrap servers configured.");
        }

        if (Config.GroupId is null)
        {
            throw new InvalidOperationException("No group id configured.");
        }
    }
}

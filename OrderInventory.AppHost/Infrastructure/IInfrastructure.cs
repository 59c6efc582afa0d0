namespace OrderInventory.AppHost.Infrastructure;

/// <summary>Where PostgreSQL, Redis, Kafka and mail come from. Services get only connection strings and do not depend on the kind.</summary>
internal interface IInfrastructure : IDisposable
{
    /// <summary>A phrase for the line that is printed at start.</summary>
    string Description { get; }

    int KafkaPartitions { get; }

    /// <summary>False for librdkafka's mock broker, which does not support static membership.</summary>
    bool KafkaIsReal => true;

    void AddPostgres(string name);

    IResourceBuilder<IResourceWithConnectionString> AddDatabase(string name, string databaseName);

    IResourceBuilder<IResourceWithConnectionString> AddRedis(string name);

    IResourceBuilder<IResourceWithConnectionString> AddKafka(string name);

    /// <summary>The connection string is <c>smtp://host:port</c>, or <c>file:///folder</c> for a pickup folder.</summary>
    IResourceBuilder<IResourceWithConnectionString> AddMail(string name);

    /// <summary>The address where a person reads the mail; known once the resources run.</summary>
    string? MailInbox();
}

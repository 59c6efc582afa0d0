namespace OrderInventory.AppHost.Infrastructure;

/// <summary>Local processes in place of containers, for machines without a container runtime (Linux).</summary>
internal sealed class Embedded : IInfrastructure
{
    private readonly DataFolder _data;
    private readonly EmbeddedPostgres _postgres;
    private readonly EmbeddedRedis _redis;
    private readonly EmbeddedKafka _kafka;
    private readonly EmbeddedMail? _mail;

    private Embedded(DataFolder data, EmbeddedPostgres postgres, EmbeddedRedis redis, EmbeddedKafka kafka, EmbeddedMail? mail)
    {
        _data = data;
        _postgres = postgres;
        _redis = redis;
        _kafka = kafka;
        _mail = mail;
    }

    public string Description => string.Join(", ", new[] { _postgres.Description, _redis.Description, _kafka.Description, _mail?.Description }.OfType<string>())
        + (_data.IsKept ? $"; data is kept in {_data.Path}" : "; data is deleted at stop");

    public int KafkaPartitions => _kafka.Partitions;

    public bool KafkaIsReal => _kafka.IsReal;

    /// <summary>Finds or installs every program first, so that missing ones are reported before anything starts.</summary>
    public static async Task<Embedded> PrepareAsync(IDistributedApplicationBuilder builder, AppHostSettings settings)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new DistributedApplicationException("Embedded infrastructure runs on Linux only: start Docker or Podman, and the same system runs in containers.");
        }

        var data = DataFolder.Open(settings.DataPath);
        try
        {
            return new Embedded(
                data,
                await EmbeddedPostgres.PrepareAsync(builder, data),
                await EmbeddedRedis.PrepareAsync(builder, data),
                EmbeddedKafka.Prepare(builder, data, settings),
                settings.InfrastructureOnly ? null : await EmbeddedMail.PrepareAsync(builder, data, settings));
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    public void AddPostgres(string name) => _postgres.Add(name);

    public IResourceBuilder<IResourceWithConnectionString> AddDatabase(string name, string databaseName) => _postgres.AddDatabase(name, databaseName);

    public IResourceBuilder<IResourceWithConnectionString> AddRedis(string name) => _redis.Add(name);

    public IResourceBuilder<IResourceWithConnectionString> AddKafka(string name) => _kafka.Add(name);

    public IResourceBuilder<IResourceWithConnectionString> AddMail(string name) => _mail!.Add(name);

    public string? MailInbox() => _mail?.Inbox;

    public void Dispose()
    {
        _kafka.Dispose();
        _data.Dispose();
    }
}

namespace OrderInventory.AppHost.Infrastructure;

/// <summary>Servers that exist already (managed databases, a shared Kafka): everything comes from ConnectionStrings:*.</summary>
internal sealed class External(IDistributedApplicationBuilder builder, AppHostSettings settings) : IInfrastructure
{
    public string Description => "the servers that ConnectionStrings:* name";

    public int KafkaPartitions => settings.KafkaPartitions;

    // The services need only the databases; the server itself is needed only by test fixtures, which create databases on it.
    public void AddPostgres(string name)
    {
        if (settings.InfrastructureOnly)
        {
            Existing(name);
        }
    }

    public IResourceBuilder<IResourceWithConnectionString> AddDatabase(string name, string databaseName) => Existing(name);

    public IResourceBuilder<IResourceWithConnectionString> AddRedis(string name) => Existing(name);

    public IResourceBuilder<IResourceWithConnectionString> AddKafka(string name) => Existing(name);

    public IResourceBuilder<IResourceWithConnectionString> AddMail(string name) => Existing(name);

    public string? MailInbox() => settings.ConnectionString("mail");

    public void Dispose()
    {
    }

    private IResourceBuilder<IResourceWithConnectionString> Existing(string name)
    {
        if (settings.ConnectionString(name) is null)
        {
            throw new DistributedApplicationException($"Infrastructure:Mode=external needs ConnectionStrings:{name} (environment variable ConnectionStrings__{name}).");
        }

        return builder.AddConnectionString(name);
    }
}

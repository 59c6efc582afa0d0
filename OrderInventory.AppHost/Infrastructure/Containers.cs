using Microsoft.Extensions.DependencyInjection;

namespace OrderInventory.AppHost.Infrastructure;

/// <summary>The usual Aspire infrastructure: containers of PostgreSQL, Redis, Kafka and Mailpit.</summary>
internal sealed class Containers(IDistributedApplicationBuilder builder, AppHostSettings settings) : IInfrastructure
{
    private readonly ServiceDatabases _databases = new(builder);
    private IResourceBuilder<PostgresServerResource>? _postgres;
    private IResourceBuilder<ContainerResource>? _mailpit;

    public string Description => "PostgreSQL, Redis, Kafka and Mailpit as containers";

    public int KafkaPartitions => settings.KafkaPartitions;

    public void AddPostgres(string name)
    {
        // A volume keeps the password it was created with, so with kept data the password is kept too.
        var password = builder.AddParameter($"{name}-password", Secrets.NewOrKept(settings.DataPath, $"{name}.password"), secret: true);
        _postgres = builder.AddPostgres(name, password: password);
        if (settings.DataPath is not null)
        {
            _postgres.WithDataVolume("order-inventory-postgres");
        }

        if (builder.ExecutionContext.IsPublishMode)
        {
            // The AppHost does not run when the published container starts, so the image itself creates roles and databases.
            _postgres.WithBindMount("../deploy/postgres", "/docker-entrypoint-initdb.d", isReadOnly: true);
            return;
        }

        _postgres.OnResourceReady(async (server, ready, stop) => await _databases.CreateAsync(
            await ((IResourceWithConnectionString)server).GetConnectionStringAsync(stop) ?? "", ready.Services.GetRequiredService<ResourceNotificationService>(), stop));
    }

    public IResourceBuilder<IResourceWithConnectionString> AddDatabase(string name, string databaseName)
    {
        var endpoint = _postgres!.Resource.PrimaryEndpoint;
        var database = _databases.Add(
            name, databaseName, _postgres.Resource,
            ReferenceExpression.Create($"Host={endpoint.Property(EndpointProperty.Host)};Port={endpoint.Property(EndpointProperty.Port)}"));
        if (builder.ExecutionContext.IsPublishMode)
        {
            _postgres.WithEnvironment($"{databaseName.ToUpperInvariant()}_DB_PASSWORD", database.Resource.Password);
        }

        return database;
    }

    public IResourceBuilder<IResourceWithConnectionString> AddRedis(string name)
        => builder.AddRedis(name, password: builder.AddParameter($"{name}-password", Secrets.New(), secret: true));

    public IResourceBuilder<IResourceWithConnectionString> AddKafka(string name)
    {
        var kafka = builder.AddKafka(name);
        return settings.DataPath is null ? kafka : kafka.WithDataVolume("order-inventory-kafka");
    }

    public IResourceBuilder<IResourceWithConnectionString> AddMail(string name)
    {
        if (builder.ExecutionContext.IsPublishMode)
        {
            // An inbox that shows all mail to everybody is for development only.
            return builder.AddConnectionString(name);
        }

        _mailpit = builder.AddContainer($"{name}-server", "axllent/mailpit", "v1.27")
            .WithEndpoint(targetPort: 1025, scheme: "tcp", name: "smtp")
            .WithHttpEndpoint(targetPort: 8025, name: "http")
            .WithHttpHealthCheck("/readyz", endpointName: "http");
        var smtp = _mailpit.GetEndpoint("smtp");
        return builder.AddResource(new MailServerAddress(
            name, ReferenceExpression.Create($"smtp://{smtp.Property(EndpointProperty.HostAndPort)}"), _mailpit.Resource));
    }

    public string? MailInbox() => _mailpit?.GetEndpoint("http").Url;

    public void Dispose()
    {
    }

    /// <summary>Names the SMTP address of the container, so that services get it as an ordinary connection string.</summary>
    private sealed class MailServerAddress(string name, ReferenceExpression address, ContainerResource server)
        : Resource(name), IResourceWithConnectionString, IResourceWithParent<ContainerResource>
    {
        public ReferenceExpression ConnectionStringExpression { get; } = address;

        public ContainerResource Parent { get; } = server;
    }
}

using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Confluent.Kafka;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Notifications.Data;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests.Support;

/// <summary>The whole service in this process, on its own database, with a real Kafka, mail server and Customers.</summary>
internal sealed class NotificationsApp : IAsyncDisposable
{
    /// <summary>The existing consumer groups, by broker and name.</summary>
    private static readonly ConcurrentDictionary<(string Kafka, string Group), Task> s_groups = new();

    private readonly WebApplicationFactory<NotificationOptions> _factory;
    private readonly IProducer<string, byte[]> _producer;

    private NotificationsApp(string database, string group, InfrastructureFixture infrastructure, string mail, string customers, Dictionary<string, string>? settings,
        Action<IServiceCollection>? services)
    {
        Database = NpgsqlDataSource.Create(database);
        ConnectionString = database;
        _factory = new WebApplicationFactory<NotificationOptions>().WithWebHostBuilder(builder =>
        {
            builder.UseSetting("ConnectionStrings:notificationsdb", database);
            builder.UseSetting("ConnectionStrings:kafka", infrastructure.Kafka);
            builder.UseSetting("ConnectionStrings:mail", mail);
            TestAuthority.Shared.Configure(builder);
            builder.UseSetting("services:customers:http:0", customers);
            builder.UseSetting("services:orders:http:0", customers);
            builder.UseSetting("services:products:http:0", customers);
            builder.UseSetting("Messaging:Group", group);
            builder.UseSetting("Messaging:Partitions", "4");
            builder.UseSetting("Notifications:RetryDelay", "00:00:00.05");
            builder.UseSetting("Notifications:MaxRetryDelay", "00:00:00.2");
            builder.UseSetting("Notifications:PollInterval", "00:00:00.05");
            builder.UseSetting("Notifications:MaxSendsPerSecond", "1000");
            builder.UseSetting("Notifications:StreamHeartbeat", "00:00:00.5");
            foreach (var (key, value) in settings ?? [])
            {
                builder.UseSetting(key, value);
            }

            if (services is not null)
            {
                builder.ConfigureServices(services);
            }
        });
        _producer = new ProducerBuilder<string, byte[]>(new ProducerConfig { BootstrapServers = infrastructure.Kafka, LingerMs = 0 }).Build();
        Http = _factory.CreateClient();
        Http.DefaultRequestHeaders.Authorization = TestAuthority.Everything;
    }

    public HttpClient Http { get; }

    /// <summary>A client without a token.</summary>
    public HttpClient CreateAnonymousClient() => _factory.CreateClient();

    public NpgsqlDataSource Database { get; }
    public string ConnectionString { get; }
    public IServiceProvider Services => _factory.Services;

    public static async Task<NotificationsApp> StartAsync(
        InfrastructureFixture infrastructure, string mail, CustomersServer customers, Dictionary<string, string>? settings = null, string? database = null,
        Action<IServiceCollection>? services = null)
    {
        database ??= await infrastructure.CopyDatabaseAsync<NotificationsDb>("notifications");
        // A group for each database: with one for all, the mock broker makes each service wait until its predecessor's session has timed out.
        var group = $"notifications-{new NpgsqlConnectionStringBuilder(database).Database}";
        await s_groups.GetOrAdd((infrastructure.Kafka, group), _ => BeginAtEndAsync(infrastructure.Kafka, group));
        var app = new NotificationsApp(database, group, infrastructure, mail, customers.Address, settings, services);
        await Wait.UntilAsync(async () => (await app.Http.GetAsync("/health")).IsSuccessStatusCode, ready => ready);
        return app;
    }

    private static async Task BeginAtEndAsync(string kafka, string group)
    {
        using var probe = new KafkaProbe(kafka);
        await probe.BeginAtEndAsync(group, OrderCreated.Topic, OrderUpdated.Topic, InventoryUpdated.Topic, CustomerUpdated.Topic);
    }

    public Task<Guid> PublishAsync(OrderCreated data, Guid? id = null, string? traceParent = null) =>
        PublishAsync(OrderCreated.Topic, OrderCreated.Type, data.OrderId, data, EventsJson.Default.OrderCreated, id, traceParent);

    public Task<Guid> PublishAsync(OrderUpdated data, Guid? id = null) =>
        PublishAsync(OrderUpdated.Topic, OrderUpdated.Type, data.OrderId, data, EventsJson.Default.OrderUpdated, id);

    public Task<Guid> PublishAsync(InventoryUpdated data, Guid? id = null) =>
        PublishAsync(InventoryUpdated.Topic, InventoryUpdated.Type, data.ProductId, data, EventsJson.Default.InventoryUpdated, id);

    public Task<Guid> PublishAsync(CustomerUpdated data, Guid? id = null) =>
        PublishAsync(CustomerUpdated.Topic, CustomerUpdated.Type, data.CustomerId, data, EventsJson.Default.CustomerUpdated, id);

    public async Task<Guid> PublishRawAsync(string topic, string type, Guid key, byte[] payload, Guid? id = null, string? traceParent = null)
    {
        var eventId = id ?? Guid.CreateVersion7();
        var headers = new Headers();
        void Add(string name, string value) => headers.Add(name, Encoding.UTF8.GetBytes(value));
        Add("ce_specversion", "1.0");
        Add("ce_id", eventId.ToString());
        Add("ce_type", type);
        Add("ce_source", "/tests");
        Add("ce_time", TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture));
        Add("ce_subject", key.ToString());
        Add("ce_correlationid", eventId.ToString());
        Add("content-type", "application/json");
        if (traceParent is not null)
        {
            Add("traceparent", traceParent);
        }

        await _producer.ProduceAsync(topic, new() { Key = key.ToString(), Value = payload, Headers = headers });
        return eventId;
    }

    /// <summary>The items of a list, oldest first, once there are at least as many as requested.</summary>
    public Task<List<JsonNode>> ListAsync(string query, int atLeast = 1, Func<JsonNode, bool>? each = null) => Wait.UntilAsync(
        async () => await ListNowAsync(query),
        items => items.Count >= atLeast && (each is null || items.All(each)));

    public async Task<List<JsonNode>> ListNowAsync(string query)
    {
        var page = await Http.GetFromJsonAsync<JsonNode>($"/api/notifications?limit=100&{query}");
        return [.. page!["items"]!.AsArray().Reverse().Select(i => i!)];
    }

    public async Task<T?> QueryAsync<T>(string sql, params object[] parameters)
    {
        await using var command = Database.CreateCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new() { Value = parameter });
        }

        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        try
        {
            await _factory.DisposeAsync();
        }
        catch (ObjectDisposedException)
        {
            // The factory and the program's own Run both stop the host; the second one finds it disposed.
        }

        _producer.Dispose();
        await Database.DisposeAsync();
    }

    private Task<Guid> PublishAsync<T>(string topic, string type, Guid key, T data, JsonTypeInfo<T> json, Guid? id, string? traceParent = null) =>
        PublishRawAsync(topic, type, key, JsonSerializer.SerializeToUtf8Bytes(data, json), id, traceParent);
}

/// <summary>Events as Orders and Inventory publish them.</summary>
internal static class Events
{
    private static readonly DateTimeOffset s_at = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static readonly OrderLine Chai = new(Guid.CreateVersion7(), "TEA-001", "Chai", 3, new(18.00m, "EUR"));

    public static OrderCreated Created(Guid customer, Guid? order = null, params OrderLine[] lines) => new(
        order ?? Guid.CreateVersion7(), 1, customer, OrderStatus.Pending, null, lines is [] ? [Chai] : lines, new(54.00m, "EUR"), s_at);

    public static OrderUpdated Updated(Guid customer, OrderStatus status, OrderStatus previous = OrderStatus.Pending, Guid? order = null) => new(
        order ?? Guid.CreateVersion7(), 2, customer, status, previous, null, [Chai], new(54.00m, "EUR"), null, null, null, s_at, s_at);

    public static InventoryUpdated Stock(LowStockCrossing? crossing) => new(Guid.CreateVersion7(), 2, 12, 4, 8, 10, crossing, s_at);

    public static CustomerUpdated Customer(
        Guid id, long version, bool email = true, CustomerStatus status = CustomerStatus.Active, bool sms = false, string language = "en") =>
        new(id, version, status, language, new(email, sms, false));
}

using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>Values are planted wherever people and operators enter data, and searched in all that leaves a service except its responses.</summary>
public sealed class SecretsTests
{
    private const string Name = "Zyxwina Plantedname";
    private const string Street = "Plantedstrasse 77";
    private const string Phone = "+49305550198877";
    private const string FreeText = "planted words of a person";
    private const string WebhookSecret = "planted-webhook-secret-0123456789";
    private const string ApiKey = "planted-key-of-another-system-0123456789";
    private const string Cookie = "planted-cookie-0123456789";

    [Fact]
    public async Task Neither_secrets_nor_personal_data_are_in_a_log_an_event_a_metric_or_a_trace()
    {
        var mailbox = $"planted-{Guid.CreateVersion7():N}";
        var logs = new LogKeeper();
        await using var collector = await SpanCollector.StartAsync();
        await using var system = await AppHostRunner.StartAsync(
            ["--Infrastructure:Mail=pickup", $"--Otlp:Endpoint={collector.Endpoint}", "--Otlp:Protocol=http/protobuf"],
            builder => builder.Services.AddLogging(logging => logging.AddProvider(logs)));
        await system.WaitUntilHealthyAsync("gateway");
        using var gateway = await system.CreateClientAsync();
        var shop = new Shop(gateway);

        var customer = await PlantAsync(gateway, $"{mailbox}@example.com");
        var product = await shop.ProductAsync(stock: 3);
        await PlaceAndEndAsync(gateway, shop, customer, product);
        await FailAsync(gateway, $"{mailbox}@example.com", customer);
        using (var marked = await gateway.GetAsync($"/api/orders?customerId={customer}"))
        {
            marked.EnsureSuccessStatusCode();
        }

        // Wait until each kind of telemetry has exported the last request, and so everything before it.
        await Eventually.TrueAsync(
            () => new[] { "traces", "metrics", "logs" }.All(signal => collector.Exports.Any(export => export.Signal == signal))
                && collector.Spans.Any(span => span.Service == "notifications" && span.Name.Contains("send", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(120),
            "every kind of telemetry has arrived");
        var batches = collector.Exports.Count(export => export.Signal == "metrics");
        await Eventually.TrueAsync(() => collector.Exports.Count(export => export.Signal == "metrics") >= batches + 6, TimeSpan.FromSeconds(150), "one more round of exports has arrived");

        var planted = new List<string> { Name, "Zyxwina", mailbox, Street, Phone, "5550198877", FreeText, WebhookSecret, ApiKey, Cookie, gateway.DefaultRequestHeaders.Authorization!.Parameter! };
        foreach (var database in new[] { "ordersdb", "inventorydb", "productsdb", "customersdb", "notificationsdb" })
        {
            planted.Add(new NpgsqlConnectionStringBuilder(await system.ConnectionStringAsync(database)).Password!);
        }

        planted.Add((await system.ConnectionStringAsync("redis")).Split("password=")[1].Split(',')[0]);
        var found = new List<string>();
        foreach (var value in planted.Where(value => value.Length > 0))
        {
            var bytes = Encoding.UTF8.GetBytes(value);
            found.AddRange(collector.Exports.Where(export => export.Body.AsSpan().IndexOf(bytes) >= 0).Select(export => $"{value} in {export.Signal}"));
            found.AddRange(logs.Lines.Where(line => line.Contains(value, StringComparison.OrdinalIgnoreCase)).Select(line => $"{value} in the log: {line}"));
        }

        foreach (var (topic, text) in Records(await system.ConnectionStringAsync("kafka")))
        {
            found.AddRange(planted.Where(value => text.Contains(value, StringComparison.OrdinalIgnoreCase)).Select(value => $"{value} in {topic}: {text}"));
        }

        Assert.True(found.Count == 0, string.Join('\n', found.Distinct()));
    }

    private static async Task<Guid> PlantAsync(HttpClient gateway, string email)
    {
        // From here on each request carries them; a cookie and a key of another system mean nothing here and do not belong in a log.
        gateway.DefaultRequestHeaders.Add("Cookie", $"session={Cookie}");
        gateway.DefaultRequestHeaders.Add("X-Api-Key", ApiKey);
        var created = await gateway.PostAsJsonAsync("/api/customers", new { name = Name, email, phone = Phone, channels = new { email = true, sms = true, webhook = true } });
        created.EnsureSuccessStatusCode();
        var customer = (Guid)(await created.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
        (await gateway.PostAsJsonAsync($"/api/customers/{customer}/addresses", new { line1 = Street, city = "Berlin", country = "DE" })).EnsureSuccessStatusCode();
        (await gateway.PostAsJsonAsync("/api/notifications/webhooks", new { url = "http://127.0.0.1:9/planted", secret = WebhookSecret })).EnsureSuccessStatusCode();
        foreach (var query in new[] { $"q={Uri.EscapeDataString("Zyxwina")}", $"email={Uri.EscapeDataString(email)}" })
        {
            Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync($"/api/customers?{query}")).StatusCode);
        }

        return customer;
    }

    private static async Task PlaceAndEndAsync(HttpClient gateway, Shop shop, Guid customer, Guid product)
    {
        foreach (var end in new Func<Guid, Task<HttpResponseMessage>>[]
        {
            id => gateway.PostAsJsonAsync($"/api/orders/{id}/cancel", new { reason = FreeText }),
            id => gateway.PostAsJsonAsync($"/api/orders/{id}/ship", new { carrier = FreeText, trackingNumber = FreeText }),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders")
            {
                Content = JsonContent.Create(new
                {
                    customerId = customer,
                    lines = new[] { new { productId = product, quantity = 1 } },
                    shipTo = new { name = Name, line1 = Street, city = "Berlin", country = "DE" },
                }),
            };
            request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
            request.Headers.Add("Prefer", "wait=30");
            using var placed = await gateway.SendAsync(request);
            Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
            var order = (Guid)(await placed.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
            await shop.WaitForStatusAsync(order, "confirmed");
            using var ended = await end(order);
            ended.EnsureSuccessStatusCode();
        }
    }

    /// <summary>Makes requests that fail, because failures are the most likely to be logged.</summary>
    private static async Task FailAsync(HttpClient gateway, string email, Guid customer)
    {
        foreach (var (body, type) in new[]
        {
            ($$"""{"name": "{{Name}}", "email": "{{email}}"}""", "application/json"),
            ($$"""{"name": "{{Name}}", "email": "{{email}}", "phone": """, "application/json"),
            ($$"""{"name": "{{Name}}", "{{email}}": 1}""", "application/json"),
            ($$"""{"name": "{{Name}}", "email": "{{email}} {{Phone}}"}""", "application/json"),
            (email, "text/plain"),
        })
        {
            using var content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue(type));
            using var refused = await gateway.PostAsync("/api/customers", content);
            Assert.InRange((int)refused.StatusCode, 400, 499);
        }

        foreach (var path in new[] { $"/api/customers?cursor={Uri.EscapeDataString(email)}", $"/api/orders?customerId={Uri.EscapeDataString(email)}" })
        {
            using var refused = await gateway.GetAsync(path);
            Assert.InRange((int)refused.StatusCode, 400, 499);
        }

        using var erased = new HttpRequestMessage(HttpMethod.Delete, $"/api/customers/{customer}");
        erased.Headers.TryAddWithoutValidation("If-Match", (await gateway.GetAsync($"/api/customers/{customer}")).Headers.ETag!.Tag);
        (await gateway.SendAsync(erased)).EnsureSuccessStatusCode();
    }

    /// <summary>Every record of every topic: key, headers and value.</summary>
    private static List<(string Topic, string Text)> Records(string broker)
    {
        var timeout = TimeSpan.FromSeconds(20);
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = broker, GroupId = "probe", EnableAutoCommit = false, EnablePartitionEof = true }).Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var partitions = admin.GetMetadata(timeout).Topics.Where(topic => !topic.Topic.StartsWith("__", StringComparison.Ordinal))
            .SelectMany(topic => topic.Partitions.Select(partition => new TopicPartitionOffset(topic.Topic, partition.PartitionId, Offset.Beginning))).ToList();
        Assert.NotEmpty(partitions);
        consumer.Assign(partitions);
        var records = new List<(string, string)>();
        for (var open = partitions.Count; open > 0;)
        {
            var record = consumer.Consume(timeout) ?? throw new TimeoutException("Kafka does not answer.");
            if (record.IsPartitionEOF)
            {
                open--;
                continue;
            }

            var parts = record.Message.Headers.Select(header => header.GetValueBytes()).Append(record.Message.Key).Append(record.Message.Value);
            records.Add((record.Topic, string.Join(' ', parts.Select(part => Encoding.UTF8.GetString(part ?? [])))));
        }

        Assert.Contains(records, record => record.Item1 == "order.updated");
        return records;
    }
}

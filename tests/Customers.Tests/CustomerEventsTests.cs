using System.Globalization;
using OrderInventory.TestSupport;

namespace OrderInventory.Customers.Tests;

/// <summary>What other services read: exact headers and JSON, read by a consumer that uses none of our code.</summary>
[Collection(CustomersCollection.Name)]
public sealed class CustomerEventsTests(CustomersApp app)
{
    [Fact]
    public async Task Publishes_customer_updated_with_every_change_and_no_personal_data()
    {
        var customer = await app.CreateAsync();
        var path = $"/api/customers/{customer.Id}";
        (await app.Api.PatchAsync(path, """{"name": "Maria Anders"}""", ("If-Match", "\"1\""))).ShouldBe(200);
        (await app.Api.PatchAsync(path, """{"language": "de", "phone": "+49300074321", "channels": {"sms": true}}""", ("If-Match", "\"1\""))).ShouldBe(200);
        (await app.Api.PatchAsync(path, """{"name": "Lost"}""", ("If-Match", "\"1\""))).ShouldBe(412);
        (await app.Api.PatchAsync(path, """{"phone": "+49300074322"}""", ("If-Match", "\"2\""))).ShouldBe(200);
        (await app.Api.DeleteAsync(path, ("If-Match", "\"3\""))).ShouldBe(204);

        var events = await app.ReadEventsAsync(customer.Id, 4);

        var data = (int version, string status, string language, string channels) =>
            $$"""{"customerId":"{{customer.Id}}","version":{{version}},"status":"{{status}}","language":"{{language}}","channels":{{channels}}}""";
        Assert.Equal(
            [
                data(1, "active", "en", """{"email":true,"sms":false,"webhook":false}"""),
                data(2, "active", "de", """{"email":true,"sms":true,"webhook":false}"""),
                data(3, "active", "de", """{"email":true,"sms":true,"webhook":false}"""),
                data(4, "erased", "en", """{"email":false,"sms":false,"webhook":false}"""),
            ],
            events.Select(e => e.Value));
        var made = events[0].Headers;
        Assert.Equal(
            ["ce_aggregateversion", "ce_correlationid", "ce_id", "ce_source", "ce_specversion", "ce_subject", "ce_time", "ce_type", "content-type", "traceparent"],
            made.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("1.0", "customer.updated.v1", "/customers", customer.Id.ToString(), "1", "application/json"),
            (made["ce_specversion"], made["ce_type"], made["ce_source"], made["ce_subject"], made["ce_aggregateversion"], made["content-type"]));
        Assert.Equal(7, Guid.Parse(made["ce_id"]).Version);
        Assert.Equal((DateTimeOffset)customer.Json["updatedAt"]!, DateTimeOffset.Parse(made["ce_time"], CultureInfo.InvariantCulture));
        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-01$", made["traceparent"]);
    }

    [Fact]
    public async Task Logs_no_personal_data()
    {
        var word = Guid.CreateVersion7().ToString("N");
        var body = $$"""{"name": "Name{{word}}", "email": "mail{{word}}@example.com", "phone": "{{word}}"}""";
        var customer = (await app.Api.PostAsync("/api/customers", body)).ShouldBe(201);
        (await app.Api.PostAsync("/api/customers", body)).ShouldBe(409);
        (await app.Api.PutAsync($"/api/customers/{customer.Id}", body.Replace("Name", "Other", StringComparison.Ordinal), customer.IfMatch)).ShouldBe(200);
        (await app.Api.PostAsync("/api/customers", body[..^1])).ShouldBe(400);
        (await app.Api.DeleteAsync($"/api/customers/{customer.Id}", ("If-Match", "\"2\""))).ShouldBe(204);

        Assert.NotEmpty(app.Logs.All);
        Assert.DoesNotContain(word, app.Logs.All, StringComparison.OrdinalIgnoreCase);
    }
}

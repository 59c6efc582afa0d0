using OrderInventory.TestSupport;

namespace OrderInventory.Customers.Tests;

[Collection(CustomersCollection.Name)]
public sealed class EraseCustomerTests(CustomersApp app)
{
    [Fact]
    public async Task Leaves_a_row_without_the_person()
    {
        var customer = await app.CreateAsync(c => c["language"] = "de");

        Assert.Empty((await app.Api.DeleteAsync($"/api/customers/{customer.Id}", customer.IfMatch)).ShouldBe(204).Body);

        Assert.Equal("erased|2|en|False", await app.ReadAsync(
            """
            SELECT concat_ws('|', status, version, language, CASE WHEN channel_email OR channel_sms OR channel_webhook THEN 'True' ELSE 'False' END,
                name, email, email_key, phone)
            FROM customers WHERE id = $1
            """, customer.Id));
        (await app.Api.GetAsync($"/api/customers/{customer.Id}")).ShouldBeProblem(404, "not-found");
        (await app.Api.PatchAsync($"/api/customers/{customer.Id}", "{}", ("If-Match", "*"))).ShouldBeProblem(404, "not-found");
        (await app.Api.DeleteAsync($"/api/customers/{customer.Id}", ("If-Match", "*"))).ShouldBeProblem(404, "not-found");
    }

    [Fact]
    public async Task Leaves_nothing_of_the_person_in_any_table()
    {
        // Words that stand nowhere else. The relay has deleted what it has published.
        var word = Guid.CreateVersion7().ToString("N");
        var customer = (await app.Api.PostAsync("/api/customers",
            $$"""{"name": "Name{{word}}", "email": "mail{{word}}@example.com", "phone": "{{word}}"}""", ("Idempotency-Key", word))).ShouldBe(201);
        var fingerprint = "SELECT encode(fingerprint, 'hex') FROM idempotency_keys WHERE resource_id = $1";
        Assert.Equal(64, (await app.ReadAsync(fingerprint, customer.Id))!.Length);

        (await app.Api.DeleteAsync($"/api/customers/{customer.Id}", customer.IfMatch)).ShouldBe(204);

        Assert.Equal("0", await app.ReadAsync("SELECT count(*) FROM customers c WHERE c::text ILIKE '%' || $1 || '%'", word));
        Assert.Equal("0", await app.ReadAsync("SELECT count(*) FROM outbox_messages m WHERE convert_from(payload, 'utf8') ILIKE '%' || $1 || '%'", word));
        Assert.Equal("", await app.ReadAsync(fingerprint, customer.Id));
    }

    [Fact]
    public async Task Frees_the_email()
    {
        var customer = await app.CreateAsync();
        (await app.Api.DeleteAsync($"/api/customers/{customer.Id}", customer.IfMatch)).ShouldBe(204);

        var again = await app.CreateAsync(c => c["email"] = (string?)customer.Json["email"]);

        Assert.NotEqual(customer.Id, again.Id);
    }

    [Fact]
    public async Task Is_not_undone_by_a_late_repetition_of_the_request_that_made_the_customer()
    {
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());
        var body = CustomersApp.NewCustomer().ToJsonString();
        var customer = (await app.Api.PostAsync("/api/customers", body, key)).ShouldBe(201);
        (await app.Api.DeleteAsync($"/api/customers/{customer.Id}", customer.IfMatch)).ShouldBe(204);

        (await app.Api.PostAsync("/api/customers", body, key)).ShouldBeProblem(422, "idempotency-key-reused");
    }

    [Fact]
    public async Task Returns_428_without_if_match_and_412_when_it_is_another()
    {
        var customer = await app.CreateAsync();

        (await app.Api.DeleteAsync($"/api/customers/{customer.Id}")).ShouldBeProblem(428, "precondition-required");
        (await app.Api.DeleteAsync($"/api/customers/{customer.Id}", ("If-Match", "\"9\""))).ShouldBeProblem(412, "precondition-failed");
        (await app.Api.GetAsync($"/api/customers/{customer.Id}")).ShouldBe(200);
    }
}

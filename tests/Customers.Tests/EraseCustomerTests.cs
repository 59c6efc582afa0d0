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
        // A word that is used nowhere else, in every field about a person.
        var word = Guid.CreateVersion7().ToString("N");
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());
        var customer = (await app.Api.PostAsync("/api/customers",
            $$"""{"name": "Name{{word}}", "email": "mail{{word}}@example.com", "phone": "{{word}}"}""", key)).ShouldBe(201);
        var address = $$"""{"label": "{{word}}", "name": "{{word}}", "line1": "{{word}}", "line2": "{{word}}", "postalCode": "{{word[..20]}}", "city": "City{{word}}", "region": "{{word}}", "country": "DE"}""";
        var kept = (await app.Api.PostAsync($"/api/customers/{customer.Id}/addresses", address, key)).ShouldBe(201);
        var deleted = (await app.Api.PostAsync($"/api/customers/{customer.Id}/addresses", address, ("Idempotency-Key", Guid.CreateVersion7().ToString()))).ShouldBe(201);
        (await app.Api.DeleteAsync($"/api/customers/{customer.Id}/addresses/{deleted.Id}", ("If-Match", "*"))).ShouldBe(204);
        var fingerprints = "SELECT string_agg(length(fingerprint)::text, ' ') FROM idempotency_keys WHERE resource_id IN ($1, $2, $3)";
        Assert.Equal("32 32 32", await app.ReadAsync(fingerprints, customer.Id, kept.Id, deleted.Id));
        Assert.Equal(["customers"], await TablesWithAsync(word));

        (await app.Api.DeleteAsync($"/api/customers/{customer.Id}", ("If-Match", "*"))).ShouldBe(204);

        Assert.Empty(await TablesWithAsync(word));
        // With the hash of a request one could check guesses about its content.
        Assert.Equal("0 0 0", await app.ReadAsync(fingerprints, customer.Id, kept.Id, deleted.Id));
    }

    [Fact]
    public async Task Deletes_the_addresses_and_is_the_last_change()
    {
        var customer = await app.CreateAsync();
        var path = $"/api/customers/{customer.Id}";
        var address = (await app.Api.PostAsync($"{path}/addresses", """{"line1": "A", "city": "Berlin", "country": "DE"}""")).ShouldBe(201);

        (await app.Api.DeleteAsync(path, address.IfMatch)).ShouldBe(204);

        (await app.Api.GetAsync($"{path}/addresses")).ShouldBeProblem(404, "not-found");
        (await app.Api.GetAsync($"{path}/addresses/{address.Id}")).ShouldBeProblem(404, "not-found");
        (await app.Api.PostAsync($"{path}/addresses", """{"line1": "A", "city": "Berlin", "country": "DE"}""")).ShouldBeProblem(404, "not-found");
        (await app.Api.DeleteAsync(path, ("If-Match", "*"))).ShouldBeProblem(404, "not-found");
        var erased = (await app.ReadEventsAsync(customer.Id, 3))[2];
        Assert.Equal(("erased", 3), (erased.Json.GetProperty("status").GetString(), erased.Json.GetProperty("version").GetInt32()));
    }

    /// <summary>The tables that have the text in any column, also as bytes.</summary>
    private async Task<List<string>> TablesWithAsync(string text)
    {
        var tables = new List<string>();
        await using (var list = app.Database.CreateCommand("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"))
        await using (var reader = await list.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                tables.Add(reader.GetString(0));
            }
        }

        var found = new List<string>();
        foreach (var table in tables)
        {
            var rows = await app.ReadAsync(
                $"SELECT count(*) FROM \"{table}\" t WHERE t::text ILIKE '%' || $1 || '%' OR t::text LIKE '%' || encode(convert_to($1, 'utf8'), 'hex') || '%'", text);
            if (rows != "0")
            {
                found.Add(table);
            }
        }

        Assert.Contains("outbox_messages", tables);
        return found;
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

using OrderInventory.TestSupport;

namespace OrderInventory.Customers.Tests;

[Collection(CustomersCollection.Name)]
public sealed class ListCustomersTests(CustomersApp app)
{
    /// <summary>Other tests make customers too; each test here searches for its own name.</summary>
    private readonly string _name = Guid.CreateVersion7().ToString("N");

    private async Task<List<Guid>> ListAsync(string query) =>
        [.. (await app.Api.GetAsync($"/api/customers?{query}")).ShouldBe(200).Json["items"]!.AsArray().Select(i => i!["id"]!.GetValue<Guid>())];

    private async Task<Guid> CreateAsync(string name, string? phone = null) => (await app.CreateAsync(customer =>
    {
        customer["name"] = name;
        customer["phone"] = phone;
    })).Id;

    [Fact]
    public async Task Lists_customers_in_the_shape_of_one()
    {
        var customer = await app.CreateAsync(c => c["name"] = _name);

        Assert.Equal($$"""{"items":[{{customer.Body}}],"next":null}""", (await app.Api.GetAsync($"/api/customers?q={_name}")).ShouldBe(200).Body);
    }

    [Fact]
    public async Task Finds_text_in_name_email_and_phone_in_any_case()
    {
        var byName = await CreateAsync($"Maria {_name}");
        var byPhone = await CreateAsync("Ana", _name);
        var byEmail = (await app.CreateAsync(c => c["email"] = $"{_name}@example.com")).Id;

        Assert.Equal([byName, byPhone, byEmail], await ListAsync($"q={_name.ToUpperInvariant()}"));
        Assert.Empty(await ListAsync($"q={_name}%25"));
    }

    [Fact]
    public async Task Finds_a_city_of_an_address_and_no_other_part_of_it()
    {
        var customer = await CreateAsync("Ana");
        var address = (await app.Api.PostAsync($"/api/customers/{customer}/addresses", $$"""{"line1": "x{{_name}}", "city": "Sankt {{_name}} Ö", "country": "DE"}""")).ShouldBe(201);
        await CreateAsync("Bea");

        Assert.Equal([customer], await ListAsync($"q=sankt%20{_name}%20ö"));
        Assert.Equal([customer], await ListAsync($"q=ANKT%20{_name}"));
        Assert.Empty(await ListAsync($"q=x{_name}"));
        (await app.Api.DeleteAsync($"/api/customers/{customer}/addresses/{address.Id}", address.IfMatch)).ShouldBe(204);
        Assert.Empty(await ListAsync($"q={_name}"));
    }

    [Fact]
    public async Task Finds_nobody_who_is_erased()
    {
        var customer = await app.CreateAsync(c => c["name"] = _name);
        Assert.Equal([customer.Id], await ListAsync($"q={_name}"));
        (await app.Api.DeleteAsync($"/api/customers/{customer.Id}", customer.IfMatch)).ShouldBe(204);

        Assert.Empty(await ListAsync($"q={_name}"));
        Assert.Empty(await ListAsync($"email={customer.Json["email"]}"));
    }

    [Theory]
    [InlineData("'")]
    [InlineData("%")]
    [InlineData("_")]
    [InlineData("\\")]
    [InlineData("[\"")]
    [InlineData("\U0001F600")]
    public async Task Takes_any_text_literally(string sign)
    {
        var customer = await CreateAsync($"{_name}{sign}x");

        Assert.Equal([customer], await ListAsync($"q={Uri.EscapeDataString($"{_name}{sign}X")}"));
        Assert.Empty(await ListAsync($"q={Uri.EscapeDataString($"{_name}{sign}y")}"));
    }

    [Fact]
    public async Task Is_found_by_an_index()
    {
        await using var connection = await app.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var off = new Npgsql.NpgsqlCommand("SET LOCAL enable_seqscan = off", connection, transaction);
        await off.ExecuteNonQueryAsync();
        await using var explain = new Npgsql.NpgsqlCommand("EXPLAIN (FORMAT JSON) SELECT id FROM customers WHERE search_key LIKE '%anders%'", connection, transaction);

        Assert.Contains("ix_customers_search_key", (string)(await explain.ExecuteScalarAsync())!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Finds_exactly_one_email_in_any_case()
    {
        var customer = await app.CreateAsync();
        var email = (string)customer.Json["email"]!;

        Assert.Equal([customer.Id], await ListAsync($"email={email.ToUpperInvariant()}"));
        Assert.Empty(await ListAsync($"email={email[1..]}"));
    }

    [Fact]
    public async Task Walks_all_pages_without_repeating_or_missing_one()
    {
        var made = new List<Guid>();
        for (var i = 0; i < 5; i++)
        {
            made.Add(await CreateAsync($"{_name} {i}"));
        }

        var seen = new List<Guid>();
        string? cursor = null;
        do
        {
            var page = (await app.Api.GetAsync($"/api/customers?q={_name}&limit=2{(cursor is null ? "" : $"&cursor={cursor}")}")).ShouldBe(200).Json;
            seen.AddRange(page["items"]!.AsArray().Select(i => i!["id"]!.GetValue<Guid>()));
            cursor = (string?)page["next"];
        }
        while (cursor is not null && seen.Count < 20);

        Assert.Equal(made, seen);
    }

    [Fact]
    public async Task Returns_the_existing_ones_of_the_given_ids()
    {
        var first = await CreateAsync(_name);
        var second = await CreateAsync(_name);
        var erased = await CreateAsync(_name);
        (await app.Api.DeleteAsync($"/api/customers/{erased}", ("If-Match", "\"1\""))).ShouldBe(204);

        Assert.Equal([first, second], await ListAsync($"ids={second},{erased},{first},{Guid.CreateVersion7()}"));
        (await app.Api.GetAsync($"/api/customers?ids={string.Join(',', Enumerable.Repeat(first, 100))}")).ShouldBe(200);
        (await app.Api.GetAsync($"/api/customers?ids={string.Join(',', Enumerable.Repeat(first, 101))}")).ShouldBeMalformed("ids");
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("ids=0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a&limit=0", "limit")]
    [InlineData("limit=101", "limit")]
    [InlineData("limit=many", "limit")]
    [InlineData("cursor=nonsense", "cursor")]
    [InlineData("ids=1", "ids")]
    [InlineData("q=%00", "q")]
    [InlineData("q=a%0Ab", "q")]
    [InlineData("email=%00", "email")]
    public async Task Returns_400_for_what_it_cannot_read(string query, string path) =>
        (await app.Api.GetAsync($"/api/customers?{query}")).ShouldBeMalformed(path);

    [Fact]
    public async Task Takes_texts_up_to_200_characters_and_no_longer()
    {
        (await app.Api.GetAsync($"/api/customers?q={new string('x', 200)}")).ShouldBe(200);
        (await app.Api.GetAsync($"/api/customers?q={new string('x', 201)}")).ShouldBeMalformed("q");
    }
}

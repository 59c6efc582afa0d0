using OrderInventory.TestSupport;

namespace OrderInventory.Customers.Tests;

[Collection(CustomersCollection.Name)]
public sealed class ListCustomersTests(CustomersApp app)
{
    /// <summary>Other tests make customers too; each test here looks for a name of its own.</summary>
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
    public async Task Finds_text_in_name_email_and_phone_whatever_its_case()
    {
        var byName = await CreateAsync($"Maria {_name}");
        var byPhone = await CreateAsync("Ana", _name);
        var byEmail = (await app.CreateAsync(c => c["email"] = $"{_name}@example.com")).Id;

        Assert.Equal([byName, byPhone, byEmail], await ListAsync($"q={_name.ToUpperInvariant()}"));
        Assert.Empty(await ListAsync($"q={_name}%25"));
    }

    [Fact]
    public async Task Finds_exactly_an_email_whatever_its_case()
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
    public async Task Returns_those_of_the_ids_that_there_are()
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
    [InlineData("limit=101", "limit")]
    [InlineData("limit=many", "limit")]
    [InlineData("cursor=nonsense", "cursor")]
    [InlineData("ids=1", "ids")]
    [InlineData("q=%00", "$")]
    [InlineData("email=%00", "$")]
    public async Task Returns_400_for_what_it_cannot_read(string query, string path) =>
        (await app.Api.GetAsync($"/api/customers?{query}")).ShouldBeMalformed(path);
}

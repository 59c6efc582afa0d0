using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Customers.Tests;

[Collection(CustomersCollection.Name)]
public sealed class AddressTests(CustomersApp app)
{
    private static JsonObject NewAddress(string city = "Berlin", bool? isDefault = null)
    {
        var address = new JsonObject { ["line1"] = "Obere Str. 57", ["city"] = city, ["country"] = "DE" };
        if (isDefault is not null)
        {
            address["default"] = isDefault;
        }

        return address;
    }

    private static string PathOf(ApiResponse customer) => $"/api/customers/{customer.Id}/addresses";

    private async Task<ApiResponse> AddAsync(ApiResponse customer, string city = "Berlin", bool? isDefault = null) =>
        (await app.Api.PostAsync(PathOf(customer), NewAddress(city, isDefault).ToJsonString())).ShouldBe(201);

    /// <summary>The cities; the default one has a star.</summary>
    private async Task<string> CitiesAsync(ApiResponse customer) => string.Join(' ',
        (await app.Api.GetAsync($"/api/customers/{customer.Id}")).ShouldBe(200).Json["addresses"]!.AsArray()
            .Select(a => (string)a!["city"]! + (a["default"]!.GetValue<bool>() ? "*" : "")));

    [Fact]
    public async Task Adds_an_address_which_is_shown_with_the_customer()
    {
        var customer = await app.CreateAsync();

        var address = (await app.Api.PostAsync(PathOf(customer),
            """{"label": "home", "name": "M. Anders", "line1": "Obere Str. 57", "line2": "c/o Futterkiste", "postalCode": "12209", "city": "Berlin", "region": "BE", "country": "DE"}""",
            customer.IfMatch)).ShouldBe(201);

        Assert.Equal(
            $$"""{"id":"{{address.Id}}","label":"home","name":"M. Anders","line1":"Obere Str. 57","line2":"c/o Futterkiste","postalCode":"12209","city":"Berlin","region":"BE","country":"DE","default":true}""",
            address.Body);
        Assert.Equal(($"{PathOf(customer)}/{address.Id}", "\"2\""), (address.Headers.Location!.ToString(), address.ETag));
        var one = (await app.Api.GetAsync($"{PathOf(customer)}/{address.Id}")).ShouldBe(200);
        Assert.Equal((address.Body, "\"2\""), (one.Body, one.ETag));
        Assert.Equal($$"""{"items":[{{address.Body}}],"next":null}""", (await app.Api.GetAsync(PathOf(customer))).ShouldBe(200).Body);
        Assert.Equal("", (await app.Api.GetAsync(PathOf(customer), ("If-None-Match", "\"2\""))).ShouldBe(304).Body);
        var whole = (await app.Api.GetAsync($"/api/customers/{customer.Id}")).ShouldBe(200);
        Assert.Equal((address.Body, 2, "\"2\""), (whole.Json["addresses"]!.AsArray().Single()!.ToJsonString(), whole.Json["version"]!.GetValue<int>(), whole.ETag));
    }

    [Fact]
    public async Task Keeps_exactly_one_default()
    {
        var customer = await app.CreateAsync();
        var berlin = await AddAsync(customer, "Berlin", isDefault: false);
        await AddAsync(customer, "Paris");
        Assert.Equal("Berlin* Paris", await CitiesAsync(customer));
        var rome = await AddAsync(customer, "Rome", isDefault: true);
        Assert.Equal("Berlin Paris Rome*", await CitiesAsync(customer));

        // An address stops being the default only when another one becomes the default, not by a change of its own flag.
        var kept = (await app.Api.PutAsync($"{PathOf(customer)}/{rome.Id}", NewAddress("Roma", isDefault: false).ToJsonString(), rome.IfMatch)).ShouldBe(200);
        Assert.Equal((true, "Berlin Paris Roma*"), (kept.Json["default"]!.GetValue<bool>(), await CitiesAsync(customer)));
        (await app.Api.PutAsync($"{PathOf(customer)}/{berlin.Id}", NewAddress("Berlin", isDefault: true).ToJsonString(), kept.IfMatch)).ShouldBe(200);
        Assert.Equal("Berlin* Paris Roma", await CitiesAsync(customer));
        (await app.Api.DeleteAsync($"{PathOf(customer)}/{berlin.Id}", ("If-Match", "*"))).ShouldBe(204);
        Assert.Equal("Paris* Roma", await CitiesAsync(customer));
        (await app.Api.DeleteAsync($"{PathOf(customer)}/{rome.Id}", ("If-Match", "*"))).ShouldBe(204);
        Assert.Equal("Paris*", await CitiesAsync(customer));
    }

    [Fact]
    public async Task Replaces_and_deletes_with_the_version_of_the_customer()
    {
        var customer = await app.CreateAsync();
        var address = await AddAsync(customer);
        var path = $"{PathOf(customer)}/{address.Id}";
        var paris = NewAddress("Paris").ToJsonString();

        (await app.Api.PutAsync(path, paris)).ShouldBeProblem(428, "precondition-required");
        (await app.Api.PutAsync(path, paris, customer.IfMatch)).ShouldBeProblem(412, "precondition-failed");
        (await app.Api.DeleteAsync(path)).ShouldBeProblem(428, "precondition-required");
        (await app.Api.DeleteAsync(path, customer.IfMatch)).ShouldBeProblem(412, "precondition-failed");
        (await app.Api.PostAsync(PathOf(customer), paris, customer.IfMatch)).ShouldBeProblem(412, "precondition-failed");
        var changed = (await app.Api.PutAsync(path, paris, address.IfMatch)).ShouldBe(200);
        Assert.Equal("\"3\"", changed.ETag);
        var same = (await app.Api.PutAsync(path, paris, changed.IfMatch)).ShouldBe(200);
        Assert.Equal((changed.Body, "\"3\""), (same.Body, same.ETag));
        Assert.Equal("\"4\"", (await app.Api.DeleteAsync(path, changed.IfMatch)).ShouldBe(204).ETag);
        (await app.Api.GetAsync(path)).ShouldBeProblem(404, "not-found");
        (await app.Api.PutAsync(path, paris, ("If-Match", "*"))).ShouldBeProblem(404, "not-found");
        (await app.Api.DeleteAsync(path, ("If-Match", "*"))).ShouldBeProblem(404, "not-found");
    }

    [Fact]
    public async Task Stays_when_the_customer_is_changed()
    {
        var customer = await app.CreateAsync();
        var address = await AddAsync(customer);
        var body = CustomersApp.NewCustomer((string)customer.Json["email"]!);
        body["name"] = "Ana";

        var changed = (await app.Api.PutAsync($"/api/customers/{customer.Id}", body.ToJsonString(), address.IfMatch)).ShouldBe(200);

        Assert.Equal(address.Body, changed.Json["addresses"]!.AsArray().Single()!.ToJsonString());
        (await app.Api.PatchAsync($"/api/customers/{customer.Id}", """{"addresses": []}""", changed.IfMatch)).ShouldBeMalformed("$.addresses");
    }

    [Fact]
    public async Task Returns_404_when_there_is_no_such_customer()
    {
        var path = $"/api/customers/{Guid.CreateVersion7()}/addresses";
        var other = await AddAsync(await app.CreateAsync());
        var address = NewAddress().ToJsonString();

        (await app.Api.PostAsync(path, address)).ShouldBeProblem(404, "not-found");
        (await app.Api.PostAsync(path, address, ("Idempotency-Key", path))).ShouldBeProblem(404, "not-found");
        (await app.Api.GetAsync(path)).ShouldBeProblem(404, "not-found");
        (await app.Api.GetAsync($"{path}/{other.Id}")).ShouldBeProblem(404, "not-found");
        (await app.Api.GetAsync($"{PathOf(await app.CreateAsync())}/{other.Id}")).ShouldBeProblem(404, "not-found");
        (await app.Api.PutAsync($"{path}/{other.Id}", address, ("If-Match", "*"))).ShouldBeProblem(404, "not-found");
        (await app.Api.DeleteAsync($"{path}/{other.Id}", ("If-Match", "*"))).ShouldBeProblem(404, "not-found");
    }

    [Fact]
    public async Task Keeps_at_most_20_also_from_concurrent_requests()
    {
        var customer = await app.CreateAsync();

        var responses = await Task.WhenAll(Enumerable.Range(0, 25).Select(i => app.Api.PostAsync(PathOf(customer), NewAddress($"City {i}", isDefault: i % 2 == 0).ToJsonString())));

        Assert.Equal(20, responses.Count(r => r.Status == 201));
        Assert.All(responses.Where(r => r.Status != 201), r => r.ShouldBeProblem(409, "too-many-addresses"));
        var whole = (await app.Api.GetAsync($"/api/customers/{customer.Id}")).ShouldBe(200).Json;
        Assert.Equal((20, 1, 21), (whole["addresses"]!.AsArray().Count, whole["addresses"]!.AsArray().Count(a => a!["default"]!.GetValue<bool>()), whole["version"]!.GetValue<int>()));
    }

    [Fact]
    public async Task Adds_once_for_an_idempotency_key()
    {
        var customer = await app.CreateAsync();
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());

        var first = (await app.Api.PostAsync(PathOf(customer), NewAddress().ToJsonString(), key, customer.IfMatch)).ShouldBe(201);
        var again = (await app.Api.PostAsync(PathOf(customer), NewAddress().ToJsonString(), key, customer.IfMatch)).ShouldBe(201);

        Assert.Equal((first.Body, "true"), (again.Body, again.Headers.GetValues("Idempotency-Replayed").Single()));
        Assert.Equal("Berlin*", await CitiesAsync(customer));
        (await app.Api.PostAsync(PathOf(customer), NewAddress("Paris").ToJsonString(), key)).ShouldBeProblem(422, "idempotency-key-reused");
        // The same key for another customer is a different key.
        (await app.Api.PostAsync(PathOf(await app.CreateAsync()), NewAddress("Paris").ToJsonString(), key)).ShouldBe(201);
        (await app.Api.DeleteAsync($"{PathOf(customer)}/{first.Id}", ("If-Match", "*"))).ShouldBe(204);
        (await app.Api.PostAsync(PathOf(customer), NewAddress().ToJsonString(), key)).ShouldBeProblem(404, "not-found");
    }

    [Fact]
    public async Task Publishes_that_the_customer_has_changed_without_the_address()
    {
        var customer = await app.CreateAsync();
        await AddAsync(customer, "Nowhereville");

        var events = await app.ReadEventsAsync(customer.Id, 2);

        Assert.Equal(
            $$$"""{"customerId":"{{{customer.Id}}}","version":2,"status":"active","language":"en","channels":{"email":true,"sms":false,"webhook":false}}""", events[1].Value);
        Assert.DoesNotContain("Nowhereville", app.Logs.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("line1", null, "$.line1")]
    [InlineData("line1", " ", "$.line1")]
    [InlineData("city", "", "$.city")]
    [InlineData("city", "a\nb", "$.city")]
    [InlineData("country", "de", "$.country")]
    [InlineData("country", "UK", "$.country")]
    [InlineData("country", "DEU", "$.country")]
    [InlineData("label", "", "$.label")]
    [InlineData("postalCode", "123456789012345678901", "$.postalCode")]
    [InlineData("id", "x", "$.id")]
    public async Task Returns_400_with_the_path_of_what_is_wrong(string member, string? value, string path)
    {
        var customer = await app.CreateAsync();
        var address = await AddAsync(customer);
        var body = NewAddress();
        body[member] = value;

        (await app.Api.PostAsync(PathOf(customer), body.ToJsonString())).ShouldBeMalformed(path);
        (await app.Api.PutAsync($"{PathOf(customer)}/{address.Id}", body.ToJsonString(), address.IfMatch)).ShouldBeMalformed(path);
    }

    [Theory]
    [InlineData("line1", 200)]
    [InlineData("line2", 200)]
    [InlineData("name", 200)]
    [InlineData("label", 50)]
    [InlineData("postalCode", 20)]
    [InlineData("city", 100)]
    [InlineData("region", 100)]
    public async Task Takes_texts_up_to_their_length_and_no_longer(string member, int length)
    {
        var customer = await app.CreateAsync();
        var body = NewAddress();
        body[member] = new string('x', length + 1);
        (await app.Api.PostAsync(PathOf(customer), body.ToJsonString())).ShouldBeMalformed($"$.{member}");
        body[member] = new string('x', length);
        (await app.Api.PostAsync(PathOf(customer), body.ToJsonString())).ShouldBe(201);
    }
}

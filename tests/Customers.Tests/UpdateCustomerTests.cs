using OrderInventory.TestSupport;

namespace OrderInventory.Customers.Tests;

[Collection(CustomersCollection.Name)]
public sealed class UpdateCustomerTests(CustomersApp app)
{
    [Fact]
    public async Task Replaces_the_details_and_keeps_language_and_channels_that_are_left_out()
    {
        var customer = await app.CreateAsync(c => c["language"] = "de");
        var email = CustomersApp.NewEmail();

        var response = (await app.Api.PutAsync($"/api/customers/{customer.Id}", $$"""{"name": "Ana", "email": "{{email}}"}""", customer.IfMatch)).ShouldBe(200);

        Assert.Equal("\"2\"", response.ETag);
        Assert.Equal(("Ana", email, null, "de"),
            ((string?)response.Json["name"], (string?)response.Json["email"], (string?)response.Json["phone"], (string?)response.Json["language"]));
        Assert.Equal(customer.Json["channels"]!.ToJsonString(), response.Json["channels"]!.ToJsonString());
        Assert.Equal(response.Body, (await app.Api.GetAsync($"/api/customers/{customer.Id}")).Body);
    }

    [Fact]
    public async Task Frees_the_email_that_it_replaces()
    {
        var customer = await app.CreateAsync();
        (await app.Api.PutAsync($"/api/customers/{customer.Id}", CustomersApp.NewCustomer().ToJsonString(), customer.IfMatch)).ShouldBe(200);

        await app.CreateAsync(c => c["email"] = (string?)customer.Json["email"]);
    }

    [Fact]
    public async Task Changes_the_case_of_its_own_email()
    {
        var customer = await app.CreateAsync();
        var email = ((string)customer.Json["email"]!).ToUpperInvariant();

        var response = (await app.Api.PutAsync($"/api/customers/{customer.Id}", CustomersApp.NewCustomer(email).ToJsonString(), customer.IfMatch)).ShouldBe(200);

        Assert.Equal(email, (string?)response.Json["email"]);
    }

    [Fact]
    public async Task Keeps_the_version_when_nothing_changes()
    {
        var customer = await app.CreateAsync();
        var same = CustomersApp.NewCustomer((string)customer.Json["email"]!).ToJsonString();

        Assert.Equal(customer.Body, (await app.Api.PutAsync($"/api/customers/{customer.Id}", same, customer.IfMatch)).ShouldBe(200).Body);
    }

    [Fact]
    public async Task Returns_409_when_another_customer_has_the_email()
    {
        var other = await app.CreateAsync();
        var customer = await app.CreateAsync();

        (await app.Api.PutAsync($"/api/customers/{customer.Id}", CustomersApp.NewCustomer((string)other.Json["email"]!).ToJsonString(), customer.IfMatch))
            .ShouldBeProblem(409, "email-taken");
    }

    [Fact]
    public async Task Returns_428_412_404_and_400()
    {
        var customer = await app.CreateAsync();
        var body = CustomersApp.NewCustomer().ToJsonString();

        (await app.Api.PutAsync($"/api/customers/{customer.Id}", body)).ShouldBeProblem(428, "precondition-required");
        var stale = (await app.Api.PutAsync($"/api/customers/{customer.Id}", body, ("If-Match", "\"9\""))).ShouldBeProblem(412, "precondition-failed");
        Assert.Equal(1, (int)stale.Json["version"]!);
        (await app.Api.PutAsync($"/api/customers/{Guid.CreateVersion7()}", body, ("If-Match", "*"))).ShouldBeProblem(404, "not-found");
        (await app.Api.PutAsync($"/api/customers/{customer.Id}", """{"name": "A", "email": "b"}""", customer.IfMatch)).ShouldBeMalformed("$.email");
    }

    [Fact]
    public async Task Lets_one_of_20_concurrent_changes_win()
    {
        var customer = await app.CreateAsync();

        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ =>
            app.Api.PutAsync($"/api/customers/{customer.Id}", CustomersApp.NewCustomer().ToJsonString(), customer.IfMatch)));

        Assert.Single(responses, r => r.Status == 200);
        Assert.All(responses.Where(r => r.Status != 200), r => r.ShouldBeProblem(412, "precondition-failed"));
    }
}

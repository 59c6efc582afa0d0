using OrderInventory.TestSupport;

namespace OrderInventory.Customers.Tests;

[Collection(CustomersCollection.Name)]
public sealed class PatchCustomerTests(CustomersApp app)
{
    [Fact]
    public async Task Changes_what_is_there_removes_what_is_null_and_keeps_what_is_absent()
    {
        var customer = await app.CreateAsync();

        var response = (await app.Api.PatchAsync(
            $"/api/customers/{customer.Id}", """{"phone": null, "language": "de", "channels": {"webhook": true}}""", customer.IfMatch)).ShouldBe(200);

        Assert.Equal("\"2\"", response.ETag);
        Assert.Null(response.Json["phone"]);
        Assert.Equal(((string?)customer.Json["name"], (string?)customer.Json["email"], "de"),
            ((string?)response.Json["name"], (string?)response.Json["email"], (string?)response.Json["language"]));
        Assert.Equal("""{"email":true,"sms":false,"webhook":true}""", response.Json["channels"]!.ToJsonString());
        Assert.Equal(response.Body, (await app.Api.GetAsync($"/api/customers/{customer.Id}")).Body);
    }

    [Theory]
    [InlineData("""{"vip": true}""", "$.vip")]
    [InlineData("""{"vip": null}""", "$.vip")]
    [InlineData("""{"status": "erased"}""", "$.status")]
    [InlineData("""{"name": null}""", "$.name")]
    [InlineData("""{"email": null}""", "$.email")]
    [InlineData("""{"language": null}""", "$.language")]
    [InlineData("""{"channels": null}""", "$.channels")]
    [InlineData("""{"channels": {"sms": null}}""", "$.channels.sms")]
    [InlineData("""{"channels": {"fax": true}}""", "$.channels.fax")]
    [InlineData("""{"channels": {"sms": "yes"}}""", "$.channels.sms")]
    [InlineData("""{"email": "nobody"}""", "$.email")]
    [InlineData("""{"channels": {"sms": true}}""", "$.phone")]
    [InlineData("""{"phone": null, "channels": {"sms": true}}""", "$.phone")]
    [InlineData("""{"name": "A\u0000"}""", "$.name")]
    [InlineData("[]", "$")]
    [InlineData("{", "$")]
    [InlineData("", "$")]
    public async Task Returns_400_with_the_path_of_what_is_wrong(string patch, string path)
    {
        var customer = await app.CreateAsync();

        (await app.Api.PatchAsync($"/api/customers/{customer.Id}", patch, customer.IfMatch)).ShouldBeMalformed(path);
    }

    [Fact]
    public async Task Keeps_a_phone_that_sms_needs()
    {
        var customer = await app.CreateAsync(c => c["phone"] = "+49300074321");
        var path = $"/api/customers/{customer.Id}";

        var on = (await app.Api.PatchAsync(path, """{"channels": {"sms": true}}""", customer.IfMatch)).ShouldBe(200);
        (await app.Api.PatchAsync(path, """{"phone": null}""", on.IfMatch)).ShouldBeMalformed("$.phone");
        (await app.Api.PutAsync(path, CustomersApp.NewCustomer().ToJsonString(), on.IfMatch)).ShouldBeMalformed("$.phone");
        (await app.Api.PatchAsync(path, """{"phone": null, "channels": {"sms": false}}""", on.IfMatch)).ShouldBe(200);
    }

    [Fact]
    public async Task Returns_428_412_404_409_and_415()
    {
        var other = await app.CreateAsync();
        var customer = await app.CreateAsync();
        var path = $"/api/customers/{customer.Id}";

        (await app.Api.PatchAsync(path, "{}")).ShouldBeProblem(428, "precondition-required");
        (await app.Api.PatchAsync(path, "{}", ("If-Match", "\"9\""))).ShouldBeProblem(412, "precondition-failed");
        (await app.Api.PatchAsync($"/api/customers/{Guid.CreateVersion7()}", "{}", ("If-Match", "*"))).ShouldBeProblem(404, "not-found");
        (await app.Api.PatchAsync(path, $$"""{"email": "{{other.Json["email"]}}"}""", customer.IfMatch)).ShouldBeProblem(409, "email-taken");
        (await app.Api.SendAsync(HttpMethod.Patch, path, "{}", [customer.IfMatch], "text/plain")).ShouldBeProblem(415, "unsupported-media-type");
    }
}

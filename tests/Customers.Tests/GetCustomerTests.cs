using OrderInventory.TestSupport;

namespace OrderInventory.Customers.Tests;

[Collection(CustomersCollection.Name)]
public sealed class GetCustomerTests(CustomersApp app)
{
    [Fact]
    public async Task Returns_404_when_there_is_no_such_customer() =>
        (await app.Api.GetAsync($"/api/customers/{Guid.CreateVersion7()}")).ShouldBeProblem(404, "not-found");

    [Theory]
    [InlineData("\"1\"", 304)]
    [InlineData("W/\"1\"", 304)]
    [InlineData("\"2\"", 200)]
    public async Task Returns_304_when_the_caller_has_this_version(string ifNoneMatch, int status)
    {
        var customer = await app.CreateAsync();

        var response = (await app.Api.GetAsync($"/api/customers/{customer.Id}", ("If-None-Match", ifNoneMatch))).ShouldBe(status);

        Assert.Equal("\"1\"", response.ETag);
        Assert.Equal(status == 304 ? "" : customer.Body, response.Body);
    }
}

using System.Net;

namespace OrderInventory.EndToEnd.Tests;

[Collection(SystemCollection.Name)]
public sealed class SystemHealthTests(SystemFixture system)
{
    [Fact]
    [Trait("Category", "Smoke")]
    public async Task Gateway_is_healthy_when_every_service_is()
    {
        using var response = await system.Gateway.GetAsync(new Uri("/health", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("orders")]
    [InlineData("inventory")]
    [InlineData("products")]
    [InlineData("customers")]
    [InlineData("notifications")]
    public async Task Service_is_ready(string service) => await system.Runner.WaitUntilHealthyAsync(service);
}

using OrderInventory.TestSupport;

namespace OrderInventory.Customers.Tests;

[Collection(CustomersCollection.Name)]
public sealed class ServiceTests(CustomersApp app)
{
    [Theory]
    [InlineData("/health")]
    [InlineData("/alive")]
    public async Task Is_healthy(string path) => (await app.Api.GetAsync(path)).ShouldBe(200);

    [Fact]
    public async Task Has_no_dead_letters() =>
        Assert.Equal("""{"items":[],"next":null}""", (await app.Api.GetAsync("/api/customers/dead-letters")).ShouldBe(200).Body);

    [Theory]
    [InlineData("/api/customers", "post", "201 400 401 403 404 408 409 413 415 422 429 503")]
    [InlineData("/api/customers", "get", "200 400 401 403 429 503")]
    [InlineData("/api/customers/{id}", "get", "200 304 400 401 403 404 429 503")]
    [InlineData("/api/customers/{id}", "put", "200 400 401 403 404 408 409 412 413 415 428 429 503")]
    [InlineData("/api/customers/{id}", "patch", "200 400 401 403 404 408 409 412 413 415 428 429 503")]
    [InlineData("/api/customers/{id}", "delete", "204 400 401 403 404 412 428 429 503")]
    [InlineData("/api/customers/{id}/addresses", "post", "201 400 401 403 404 408 409 412 413 415 422 429 503")]
    [InlineData("/api/customers/{id}/addresses", "get", "200 304 400 401 403 404 429 503")]
    [InlineData("/api/customers/{id}/addresses/{addressId}", "get", "200 304 400 401 403 404 429 503")]
    [InlineData("/api/customers/{id}/addresses/{addressId}", "put", "200 400 401 403 404 408 412 413 415 428 429 503")]
    [InlineData("/api/customers/{id}/addresses/{addressId}", "delete", "204 400 401 403 404 412 428 429 503")]
    public async Task Describes_each_status_in_the_openapi_document(string path, string method, string statuses)
    {
        var document = (await app.Api.GetAsync("/openapi/v1.json")).ShouldBe(200).Json;

        var operation = document["paths"]![path]![method]!;
        Assert.Equal(statuses, string.Join(' ', operation["responses"]!.AsObject().Select(r => r.Key).Order(StringComparer.Ordinal)));
        Assert.NotEmpty((string)operation["summary"]!);
    }

    [Fact]
    public async Task Starts_for_an_owner_of_its_database_who_is_no_superuser()
    {
        await using var other = await app.StartOwnedAsync();

        (await other.Api.PostAsync("/api/customers", CustomersApp.NewCustomer().ToJsonString())).ShouldBe(201);
        (await other.Api.GetAsync("/api/customers?q=anders")).ShouldBe(200);
    }

    [Fact]
    public async Task Returns_503_with_retry_after_and_is_not_ready_while_its_database_is_down()
    {
        var (other, database) = await app.StartAloneAsync();
        await using var _ = other;
        (await other.Api.GetAsync("/api/customers")).ShouldBe(200);
        await DatabaseSwitch.OffAsync(database);

        var read = (await other.Api.GetAsync("/api/customers")).ShouldBeProblem(503, "dependency-unavailable");
        Assert.NotNull(read.Headers.RetryAfter);
        (await other.Api.GetAsync($"/api/customers/{Guid.CreateVersion7()}")).ShouldBeProblem(503, "dependency-unavailable");
        (await other.Api.PostAsync("/api/customers", CustomersApp.NewCustomer().ToJsonString())).ShouldBeProblem(503, "dependency-unavailable");
        (await other.Api.GetAsync("/health")).ShouldBe(503);
        (await other.Api.GetAsync("/alive")).ShouldBe(200);

        await DatabaseSwitch.OnAsync(database);
        await Eventually.TrueAsync(async () => (await other.Api.GetAsync("/health")).Status == 200, TimeSpan.FromSeconds(20), "ready again");
        (await other.Api.GetAsync("/api/customers")).ShouldBe(200);
    }
}

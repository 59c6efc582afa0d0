using OrderInventory.TestSupport;

namespace OrderInventory.Customers.Tests;

/// <inheritdoc cref="AuthorizationMatrix"/>
[Collection(CustomersCollection.Name)]
public sealed class AuthorizationMatrixTests(CustomersApp app)
{
    private const string Address = """{"line1": "Obere Str. 57", "city": "Berlin", "country": "DE"}""";

    [Fact]
    public async Task The_matrix_matches_the_document()
    {
        using var http = app.CreateAnonymousClient();

        await new AuthorizationMatrix("customers", http).CheckAsync((await app.CreateAsync()).Id, (await app.CreateAsync()).Id, async (method, path, customer) =>
        {
            if (!path.StartsWith("/api/customers/{id}", StringComparison.Ordinal))
            {
                return null;
            }

            var address = (await app.Api.PostAsync($"/api/customers/{customer}/addresses", Address)).ShouldBe(201).Id;
            return new(path.Replace("{id}", customer.ToString(), StringComparison.Ordinal).Replace("{addressId}", address.ToString(), StringComparison.Ordinal), (method, path.Contains("/addresses", StringComparison.Ordinal)) switch
            {
                ("POST" or "PUT", true) => Address,
                ("PUT", false) => CustomersApp.NewCustomer().ToJsonString(),
                _ => """{"name": "Mine"}""",
            });
        });
    }

    [Fact]
    public async Task Another_customers_record_is_answered_like_a_missing_one()
    {
        var (own, other) = (await app.CreateAsync(), await app.CreateAsync());
        using var http = app.CreateAnonymousClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", TestAuthority.Shared.CustomerToken(own.Id));
        var api = new ApiClient(http);

        (await api.GetAsync($"/api/customers/{own.Id}")).ShouldBe(200);
        var nobody = Guid.CreateVersion7();
        foreach (var headers in new (string, string)[][] { [], [("If-None-Match", other.ETag!)], [("If-None-Match", "*")] })
        {
            var (foreign, missing) = (await api.GetAsync($"/api/customers/{other.Id}", headers), await api.GetAsync($"/api/customers/{nobody}", headers));
            foreign.ShouldBeProblem(404, "not-found");
            Assert.Equal(Normalized(missing, nobody), Normalized(foreign, other.Id));
        }

        (await api.PutAsync($"/api/customers/{other.Id}", CustomersApp.NewCustomer().ToJsonString(), other.IfMatch)).ShouldBe(404);
        (await api.PatchAsync($"/api/customers/{other.Id}", """{"name": "Mine"}""", ("If-Match", "*"))).ShouldBe(404);
        (await api.DeleteAsync($"/api/customers/{other.Id}", other.IfMatch)).ShouldBe(404);
        (await api.PostAsync($"/api/customers/{other.Id}/addresses", Address)).ShouldBe(404);
        (await api.GetAsync("/api/customers")).ShouldBe(403);
        (await api.PostAsync("/api/customers", CustomersApp.NewCustomer().ToJsonString())).ShouldBe(403);
        Assert.Equal("Maria Anders", (string?)(await app.Api.GetAsync($"/api/customers/{other.Id}")).ShouldBe(200).Json["name"]);
    }

    [Theory]
    [InlineData("status", "\"erased\"")]
    [InlineData("version", "7")]
    [InlineData("id", "\"01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003\"")]
    [InlineData("roles", "[\"admin\"]")]
    [InlineData("customerId", "\"01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003\"")]
    public async Task A_body_cannot_set_protected_members(string member, string value)
    {
        var customer = await app.CreateAsync();

        (await app.Api.PatchAsync($"/api/customers/{customer.Id}", $$"""{"{{member}}": {{value}}}""", customer.IfMatch)).ShouldBe(400);
        (await app.Api.PostAsync("/api/customers", $$"""{"name": "A", "email": "{{CustomersApp.NewEmail()}}", "{{member}}": {{value}}}""")).ShouldBe(400);
        Assert.Equal(customer.Body, (await app.Api.GetAsync($"/api/customers/{customer.Id}")).Body);
    }

    [Fact]
    public async Task Two_callers_may_use_the_same_key()
    {
        using var support = app.CreateAnonymousClient();
        support.DefaultRequestHeaders.Authorization = new("Bearer", TestAuthority.Shared.Token("somebody else", ["support"]));
        var (key, first, second) = (Guid.CreateVersion7().ToString(), CustomersApp.NewCustomer(), CustomersApp.NewCustomer());

        var one = (await app.Api.PostAsync("/api/customers", first.ToJsonString(), ("Idempotency-Key", key))).ShouldBe(201);
        var other = (await new ApiClient(support).PostAsync("/api/customers", second.ToJsonString(), ("Idempotency-Key", key))).ShouldBe(201);

        Assert.NotEqual(one.Id, other.Id);
        (await app.Api.PostAsync("/api/customers", second.ToJsonString(), ("Idempotency-Key", key))).ShouldBeProblem(422, "idempotency-key-reused");
    }

    private static string Normalized(ApiResponse answer, Guid id) => answer.Body.Replace(id.ToString(), "ID", StringComparison.Ordinal)
        .Replace((string)answer.Json["traceId"]!, "TRACE", StringComparison.Ordinal);
}

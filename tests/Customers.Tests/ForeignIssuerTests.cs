using OrderInventory.TestSupport;
using Xunit.Abstractions;

namespace OrderInventory.Customers.Tests;

/// <summary>Any OpenID Connect provider can be used, with its own names for the claims.</summary>
[Collection(CustomersCollection.Name)]
public sealed class ForeignIssuerTests(CustomersApp app, ITestOutputHelper output)
{
    [Fact]
    public async Task Its_tokens_are_accepted_with_the_configured_claim_names()
    {
        using var issuer = await ForeignIssuer.StartAsync();
        if (issuer is null)
        {
            output.WriteLine("npm is not installed: no foreign issuer was tried.");
            return;
        }

        var (own, other) = (await app.CreateAsync(), await app.CreateAsync());
        await using var service = app.StartTrusting(
            ("Authentication:Authority", issuer.Issuer), ("Authentication:Audience", "shop"), ("Authentication:RoleClaim", "groups"), ("Authentication:CustomerIdClaim", "https://shop.example/customer"));

        var staff = await issuer.TokenAsync(new { sub = "u-1", aud = "shop", groups = "support" });
        (await GetAsync(service, staff, "/api/customers?limit=1")).ShouldBe(200);
        var customer = await issuer.TokenAsync(new Dictionary<string, object>
        {
            ["sub"] = "u-2",
            ["aud"] = new[] { "another", "shop" },
            ["groups"] = new[] { "everyone", "customer" },
            ["https://shop.example/customer"] = own.Id,
        });
        (await GetAsync(service, customer, $"/api/customers/{own.Id}")).ShouldBe(200);
        (await GetAsync(service, customer, $"/api/customers/{other.Id}")).ShouldBe(404);
        (await GetAsync(service, customer, "/api/customers")).ShouldBe(403);

        // Claims and tokens in the form of our own issuer are not accepted here.
        (await GetAsync(service, await issuer.TokenAsync(new { sub = "u-3", aud = "shop", roles = new[] { "admin" }, customer_id = own.Id }), "/api/customers")).ShouldBe(403);
        (await GetAsync(service, await issuer.TokenAsync(new { sub = "u-1", aud = "order-inventory", groups = "support" }), "/api/customers")).ShouldBe(401);
        (await GetAsync(service, TestAuthority.Shared.Token("u-1", ["admin"], token => token.Audience = "shop"), "/api/customers")).ShouldBe(401);
    }

    private static async Task<ApiResponse> GetAsync(CustomersApp.Replica service, string token, string path)
    {
        using var http = new HttpClient { BaseAddress = service.Factory.ClientOptions.BaseAddress };
        return await new ApiClient(http).GetAsync(path, ("Authorization", $"Bearer {token}"));
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;
using Microsoft.Extensions.DependencyInjection;
using OrderInventory.AppHost;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>The development issuer behind the gateway, and what its tokens open.</summary>
[Collection(SystemCollection.Name)]
public sealed class IdentityTests(SystemFixture system)
{
    private Uri Gateway => new($"http://127.0.0.1:{system.Gateway.BaseAddress!.Port}");

    private DevelopmentIssuer Issuer => system.Runner.App.Services.GetRequiredService<DevelopmentIssuer>();

    [Fact]
    public async Task The_discovery_document_is_the_gateways()
    {
        using var http = new HttpClient { BaseAddress = Gateway };

        var document = (await http.GetFromJsonAsync<JsonNode>("/.well-known/openid-configuration"))!;

        Assert.Equal(Gateway, new Uri((string)document["issuer"]!));
        Assert.Equal(new Uri(Gateway, "/connect/token"), new Uri((string)document["token_endpoint"]!));
        Assert.Equal(new Uri(Gateway, "/connect/authorize"), new Uri((string)document["authorization_endpoint"]!));
        Assert.Contains("S256", document["code_challenge_methods_supported"]!.AsArray().Select(method => (string)method!));
        Assert.DoesNotContain("password", document["grant_types_supported"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("\"d\"", await http.GetStringAsync((string)document["jwks_uri"]!), StringComparison.Ordinal);
        using var head = await http.SendAsync(new(HttpMethod.Head, "/.well-known/openid-configuration"));
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
    }

    [Theory]
    [InlineData("grant_type=client_credentials&client_id=%00&client_secret=x", 1)]
    [InlineData("grant_type=refresh_token&refresh_token=a%00b", 1)]
    [InlineData("grant_type=client_credentials", 2000)]
    public async Task A_form_that_cannot_be_read_is_400(string form, int times)
    {
        using var http = new HttpClient { BaseAddress = Gateway };
        using var body = new StringContent(string.Join('&', Enumerable.Repeat(form, times)), Encoding.UTF8, "application/x-www-form-urlencoded");

        using var answer = await http.PostAsync("/connect/token", body);

        Assert.Equal((HttpStatusCode.BadRequest, "application/problem+json"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
    }

    [Fact]
    public async Task A_person_signs_in_by_a_code_with_pkce()
    {
        var (client, verifier) = (NewBrowser(), Convert.ToHexString(RandomNumberGenerator.GetBytes(32)));
        using var _ = client;
        var authorize = Authorize(verifier, $"{Gateway}");

        var signIn = (await client.GetAsync(authorize)).Headers.Location!;
        Assert.Equal("/account/sign-in", signIn.AbsolutePath);
        var returnUrl = HttpUtility.ParseQueryString(signIn.Query)["returnUrl"]!;
        using (var wrong = await SignInAsync(client, returnUrl, "not the secret"))
        {
            Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        }

        using var signedIn = await SignInAsync(client, returnUrl, Issuer.Clients["demo-catalog"]);
        Assert.Equal(HttpStatusCode.Redirect, signedIn.StatusCode);
        var back = (await client.GetAsync(signedIn.Headers.Location)).Headers.Location!;
        var code = HttpUtility.ParseQueryString(back.Query)["code"]!;
        Assert.Equal($"{Gateway}", back.GetLeftPart(UriPartial.Path));

        using var stolen = await ExchangeAsync(client, code, "somebody else's verifier, which is long enough to be one");
        Assert.Equal(HttpStatusCode.BadRequest, stolen.StatusCode);

        // A code that was used, or tried with a wrong verifier, is spent. The person is still signed in and gets another one immediately.
        code = HttpUtility.ParseQueryString((await client.GetAsync(authorize)).Headers.Location!.Query)["code"]!;
        using var exchanged = await ExchangeAsync(client, code, verifier);
        var token = (string)(await exchanged.Content.ReadFromJsonAsync<JsonNode>())!["access_token"]!;
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/products")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync("/api/orders")).StatusCode);
    }

    [Fact]
    public async Task A_code_is_sent_to_registered_addresses_only()
    {
        using var client = NewBrowser();

        using var elsewhere = await client.GetAsync(Authorize("verifier", "http://evil.example.com/"));
        Assert.Equal(HttpStatusCode.BadRequest, elsewhere.StatusCode);

        foreach (var returnUrl in new[] { "http://evil.example.com/", "//evil.example.com", "/\\evil.example.com", "/connect/authorize/../..//evil.example.com" })
        {
            using var signedIn = await SignInAsync(client, returnUrl, Issuer.Clients["demo-catalog"]);
            Assert.Equal("/", signedIn.Headers.Location!.OriginalString);
        }
    }

    [Fact]
    public async Task The_gateway_refuses_service_tokens_and_internal_paths_refuse_personal_tokens()
    {
        using var service = new HttpClient { BaseAddress = Gateway };
        service.DefaultRequestHeaders.Authorization = new("Bearer", await Issuer.TokenAsync("orders", CancellationToken.None));
        Assert.Equal(HttpStatusCode.Forbidden, (await service.GetAsync("/api/products")).StatusCode);

        // The client itself resolves ".."; a path that could be read in a second way is refused by the gateway.
        foreach (var (path, expected) in new[]
        {
            ("/internal/orders/open", HttpStatusCode.NotFound),
            ("/api/orders/../../internal/orders/open", HttpStatusCode.NotFound),
            ("/api/orders/%2e%2e/%2e%2e/internal/orders/open", HttpStatusCode.NotFound),
            ("/api/orders/..%2f..%2finternal/orders/open", HttpStatusCode.BadRequest),
        })
        {
            Assert.Equal((path, expected), (path, (await system.Gateway.GetAsync($"{path}?productId={Guid.CreateVersion7()}")).StatusCode));
        }
    }

    [Fact]
    public async Task A_customer_orders_in_their_own_name_and_sees_nothing_of_others()
    {
        var shop = new Shop(system.Gateway);
        var (own, other, product) = (await shop.CustomerAsync(), await shop.CustomerAsync(), await shop.ProductAsync(stock: 10));
        var (_, foreign) = await shop.PlaceAsync(other, (product, 1));
        using var customer = await system.Runner.CreateCustomerClientAsync(own);
        var theirs = new Shop(customer);

        var (status, order) = await theirs.PlaceAsync(own, (product, 2));
        Assert.Equal((HttpStatusCode.Created, "confirmed"), (status, (string?)order["status"]));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await theirs.PlaceAsync(other, (product, 1))).Status);
        Assert.Equal((Guid)order["id"]!, (Guid)Assert.Single((await theirs.GetAsync("/api/orders"))["items"]!.AsArray())!["id"]!);
        Assert.Equal(HttpStatusCode.NotFound, (await customer.GetAsync($"/api/orders/{foreign["id"]}")).StatusCode);
        Assert.Equal(7, (long)(await theirs.GetAsync($"/api/inventory?productIds={product}"))["items"]![0]!["available"]!);
        Assert.All((await theirs.GetAsync("/api/notifications?limit=100"))["items"]!.AsArray(), item => Assert.Equal(own, (Guid)item!["customerId"]!));
    }

    private HttpClient NewBrowser() => new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Gateway };

    private Uri Authorize(string verifier, string redirect) => new(
        Gateway, "/connect/authorize?client_id=reference&response_type=code&state=1&code_challenge_method=S256"
        + $"&code_challenge={Convert.ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))).TrimEnd('=').Replace('+', '-').Replace('/', '_')}&redirect_uri={Uri.EscapeDataString(redirect)}");

    private static async Task<HttpResponseMessage> SignInAsync(HttpClient client, string returnUrl, string secret)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["name"] = "demo-catalog", ["secret"] = secret, ["returnUrl"] = returnUrl });
        return await client.PostAsync("/account/sign-in", form);
    }

    private async Task<HttpResponseMessage> ExchangeAsync(HttpClient client, string code, string verifier)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code",
            ["client_id"] = "reference",
            ["code"] = code,
            ["code_verifier"] = verifier,
            ["redirect_uri"] = $"{Gateway}",
        });
        return await client.PostAsync("/connect/token", form);
    }
}

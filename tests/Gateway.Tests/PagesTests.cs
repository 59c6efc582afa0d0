using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace OrderInventory.Gateway.Tests;

public sealed partial class PagesTests(GatewayApp gateway) : IClassFixture<GatewayApp>
{
    [Fact]
    public async Task The_api_page_lists_every_service_and_needs_no_other_host()
    {
        var response = await gateway.Http.GetAsync("/");
        var page = await response.Content.ReadAsStringAsync();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType!.MediaType);
        foreach (var service in SystemRoutes.Services)
        {
            Assert.Contains($"openapi/{service}.json", page, StringComparison.Ordinal);
        }

        var scripts = Sources().Matches(page).Select(m => m.Groups[1].Value).ToList();
        Assert.NotEmpty(scripts);
        foreach (var script in scripts)
        {
            Assert.DoesNotContain("//", script, StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.OK, (await gateway.Http.GetAsync(script)).StatusCode);
        }
    }

    [Fact]
    public async Task A_services_document_names_the_gateways_host()
    {
        gateway["products"].Answers["/openapi/v1.json"] = http => http.Response.WriteAsJsonAsync(new { host = http.Request.Host.Value });

        var document = await gateway.Http.GetFromJsonAsync<JsonNode>("/openapi/products.json");

        Assert.Equal(gateway.Http.BaseAddress!.Authority, (string?)document!["host"]);
    }

    [Theory]
    [InlineData("malformed-request")]
    [InlineData("not-found")]
    [InlineData("precondition-required")]
    [InlineData("precondition-failed")]
    [InlineData("dependency-unavailable")]
    [InlineData("body-too-large")]
    [InlineData("unsupported-media-type")]
    [InlineData("idempotency-key-required")]
    [InlineData("idempotency-key-reused")]
    [InlineData("idempotency-in-flight")]
    [InlineData("insufficient-stock")]
    [InlineData("unknown-product")]
    [InlineData("unknown-customer")]
    [InlineData("mixed-currency")]
    [InlineData("illegal-transition")]
    [InlineData("sku-taken")]
    [InlineData("email-taken")]
    [InlineData("product-in-open-orders")]
    [InlineData("stock-below-reserved")]
    [InlineData("unexpected-stock")]
    public async Task Every_problem_type_leads_to_its_description(string code)
    {
        var text = await gateway.Http.GetStringAsync($"/problems/{code}");

        Assert.StartsWith($"# {code}\n\n**", text, StringComparison.Ordinal);
        Assert.True(text.Length > 60);
        Assert.DoesNotContain("\n## ", text, StringComparison.Ordinal);
        Assert.Contains($"## {code}\n", await gateway.Http.GetStringAsync("/problems"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_problem_type_is_404() =>
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Http.GetAsync("/problems/no-such")).StatusCode);

    [GeneratedRegex("""(?:src|href|import)\s*=?\s*["'(]+([^"']+)["']""")]
    private static partial Regex Sources();
}

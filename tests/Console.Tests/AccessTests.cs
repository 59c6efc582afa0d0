using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>Who sees what, and what reaches the browser.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class AccessTests(ConsoleFixture console)
{
    [BrowserFact]
    public async Task Each_role_sees_what_it_may_do_and_no_token_reaches_the_browser()
    {
        var (product, _, customer) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product);
        await using (var support = await console.SignInAsync("demo-support", $"orders/{order}"))
        {
            await Expect(support.GetByRole(AriaRole.Button, new() { Name = "Cancel order" })).ToBeVisibleAsync();
            await Expect(support.GetByRole(AriaRole.Button, new() { Name = "Ship", Exact = true })).ToHaveCountAsync(0);
            await support.GotoAsync("stock");
            await Expect(support.Locator("#stock")).ToBeVisibleAsync();
            await Expect(support.GetByLabel("Reason for the change")).ToHaveCountAsync(0);
        }

        await using (var catalogue = await console.SignInAsync("demo-catalog", "catalogue"))
        {
            await Expect(catalogue.GetByRole(AriaRole.Link, new() { Name = "New product" })).ToBeVisibleAsync();
            await Expect(catalogue.GetByRole(AriaRole.Link, new() { Name = "Orders", Exact = true })).ToHaveCountAsync(0);
            // A typed-in address leads to the API's refusal, not to data.
            await catalogue.GotoAsync($"orders/{order}");
            await Expect(catalogue.Locator(".problem")).ToContainTextAsync("None of the token's roles allows this call.");
        }

        await using var warehouse = await console.SignInAsync("demo-warehouse", $"orders/{order}");
        await Expect(warehouse.GetByRole(AriaRole.Button, new() { Name = "Ship", Exact = true })).ToBeVisibleAsync();
        await Expect(warehouse.GetByRole(AriaRole.Button, new() { Name = "Cancel order" })).ToHaveCountAsync(0);
        await Expect(warehouse.GetByRole(AriaRole.Link, new() { Name = "Messages" })).ToHaveCountAsync(0);
        await Expect(warehouse.GetByRole(AriaRole.Link, new() { Name = "Customers" })).ToHaveCountAsync(0);

        // A token begins with {" in base64, which is eyJ.
        Assert.DoesNotContain((await warehouse.Context.CookiesAsync()).Select(c => c.Value), value => value.Contains("eyJ", StringComparison.Ordinal));
        Assert.DoesNotContain("eyJ", await warehouse.ContentAsync(), StringComparison.Ordinal);
        Assert.Equal("{}{}", await warehouse.EvaluateAsync<string>("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)"));
    }

    [BrowserFact]
    public async Task A_customer_cannot_use_the_console()
    {
        var (_, _, customer) = await console.ShopAsync();
        await using var page = await console.SignInAsync("demo-customer", customer: customer);
        await Expect(page.Locator("h1")).ToHaveTextAsync("This console is for staff");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByLabel("Secret")).ToBeVisibleAsync();
    }

    [BrowserFact]
    public async Task After_a_sign_out_in_another_tab_a_person_signs_in_again_and_returns_to_the_same_page()
    {
        var (product, sku, customer) = await console.ShopAsync();
        await console.OrderAsync(customer, product);
        await using var page = await console.SignInAsync("demo-admin", $"orders?q={sku}");
        await Expect(page.Locator("#orders tbody tr[data-id]")).ToHaveCountAsync(1);
        var other = await page.Context.NewPageAsync();
        await other.GotoAsync("stock");
        await other.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(other.GetByLabel("Secret")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        await page.Locator("#search").FillAsync(sku[..^1]);
        await page.Locator("#search").PressAsync("Enter");
        // Wait until the address has the search: a sign-in before that would return to the previous address.
        await Expect(page).ToHaveURLAsync(new Regex($"/console/orders\\?q={sku[..^1]}$"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in again" }).ClickAsync();
        await console.EnterAsync(page, "demo-support");
        await Expect(page).ToHaveURLAsync(new Regex($"/console/orders\\?q={sku[..^1]}$"));
        await Expect(page.Locator("#orders tbody tr[data-id]")).ToHaveCountAsync(1);
    }

    [BrowserFact]
    public async Task An_address_that_does_not_exist_is_a_page_that_says_so()
    {
        await using var page = await console.SignInAsync("demo-support");
        foreach (var path in new[] { "orders/0198abc", "orders/0198abcd-1234-7abc-8def-0123456789ab/nothing", "nothing/here.html" })
        {
            var answer = await page.GotoAsync(path);
            Assert.Equal(((int)HttpStatusCode.NotFound, true), (answer!.Status, answer.Headers["content-type"].StartsWith("text/html", StringComparison.Ordinal)));
            await Expect(page.Locator("h1")).ToHaveTextAsync("Page not found.");
            await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Orders" })).ToBeVisibleAsync();
        }
    }

    [BrowserFact]
    public async Task After_a_failed_sign_in_a_page_offers_to_sign_in_again()
    {
        using var http = new HttpClient { BaseAddress = console.Api.BaseAddress };
        // An old address, an address from another browser, and the address after a refused sign-in.
        foreach (var query in new[] { "", "?code=x&state=y", "?error=access_denied&state=y" })
        {
            using var answer = await http.GetAsync("/console/signin-oidc" + query);
            Assert.Equal((HttpStatusCode.BadRequest, "text/html"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
            Assert.Contains("<a href=\"/console/\">", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [BrowserFact]
    public async Task Another_origin_may_neither_post_nor_open_a_socket_and_no_redirect_leads_to_another_host()
    {
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = console.Api.BaseAddress };
        foreach (var (method, path) in new[] { (HttpMethod.Post, "/console/sign-out"), (HttpMethod.Get, "/console/_blazor"), (HttpMethod.Post, "/console/_blazor/negotiate") })
        {
            using var request = new HttpRequestMessage(method, path);
            request.Headers.Add("Origin", "http://127.0.0.1:1");
            Assert.Equal(HttpStatusCode.Forbidden, (await http.SendAsync(request)).StatusCode);
        }

        // Without the form's antiforgery token, nobody is signed out.
        Assert.Equal(HttpStatusCode.BadRequest, (await http.PostAsync("/console/sign-out", null)).StatusCode);
        foreach (var path in new[] { "/console/?returnUrl=https://example.com", "/console/signin-oidc?returnUrl=//example.com", "/console//example.com" })
        {
            var location = (await http.GetAsync(path)).Headers.Location;
            Assert.True(location is null || location.Authority == $"127.0.0.1:{http.BaseAddress!.Port}", $"{path} leads to {location}");
        }
    }
}

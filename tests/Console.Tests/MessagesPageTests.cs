using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>Notifications, templates and webhooks.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class MessagesPageTests(ConsoleFixture console)
{
    [BrowserFact]
    public async Task A_template_is_written_with_a_live_preview_that_runs_no_script_and_has_versions()
    {
        await using var page = await console.SignInAsync("demo-admin", "messages/templates/orderShipped/email/fr");
        await page.GetByLabel("Subject").FillAsync("Votre commande");
        await page.GetByLabel("Text").FillAsync("Bonjour {{ name");
        await Expect(page.Locator("label", new() { HasText = "Text" }).Locator(".wrong")).ToBeVisibleAsync();
        await page.GetByLabel("Text").FillAsync("Bonjour {{ name }} !");
        await page.GetByLabel("HTML").FillAsync("<p id='hello'>Bonjour {{ name }}</p><script>parent.document.title = 'taken'</script>");
        var mail = page.FrameLocator(".mail iframe");
        await Expect(mail.Locator("#hello")).ToContainTextAsync("Bonjour");
        await Expect(page).Not.ToHaveTitleAsync("taken");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save as a new version" }).ClickAsync();
        await Expect(page.Locator("#versions li")).ToHaveCountAsync(1);
        await page.GetByLabel("Text").FillAsync("Salut {{ name }} !");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save as a new version" }).ClickAsync();
        await Expect(page.Locator("#versions li")).ToHaveCountAsync(2);
        await page.Locator("#versions summary").Last.ClickAsync();
        await page.Locator("#versions button").Last.ClickAsync();
        await Expect(page.GetByLabel("Text")).ToHaveValueAsync("Bonjour {{ name }} !");
    }

    [BrowserFact]
    public async Task A_mail_is_shown_and_resent()
    {
        var (product, sku, customer) = await console.ShopAsync();
        await console.OrderAsync(customer, product);
        await using var page = await console.SignInAsync("demo-admin", "messages?template=orderConfirmed&status=sent");
        var row = page.Locator("#notifications tr", new() { HasText = $"{sku}@example.com" });
        await row.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        await Expect(page.Locator(".mail")).ToContainTextAsync($"Maria {sku}");
        await row.GetByRole(AriaRole.Button, new() { Name = "Resend" }).ClickAsync();
        await Expect(page.GetByText("done")).ToBeVisibleAsync();

        await page.GotoAsync("messages");
        await page.GetByRole(AriaRole.Button, new() { Name = "Resend all failed" }).ClickAsync();
        await Expect(page.GetByText("queued for resending")).ToBeVisibleAsync();
    }

    [BrowserFact]
    public async Task A_webhook_is_created_switched_off_and_deleted()
    {
        await using var page = await console.SignInAsync("demo-admin", "messages/webhooks");
        var address = $"https://{ConsoleFixture.NewSku()}.example.com/".ToLowerInvariant();
        await page.GetByLabel("Address").FillAsync("ftp://example.com");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Expect(page.Locator(".wrong")).ToBeVisibleAsync();
        await page.GetByLabel("Address").FillAsync(address);
        await page.GetByLabel("order.created").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Expect(page.Locator("#secret")).ToContainTextAsync("whsec_");
        await page.GetByRole(AriaRole.Link, new() { Name = "Continue" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync(address);
        // The host name does not exist, and the page says so.
        await page.GetByRole(AriaRole.Button, new() { Name = "Send a test" }).ClickAsync();
        await Expect(page.Locator("#test")).ToContainTextAsync("The host name cannot be resolved.", new() { Timeout = 15_000 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Switch off" }).ClickAsync();
        await Expect(page.Locator("#active")).ToHaveTextAsync("off");
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete webhook" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete permanently" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Webhooks");
        await Expect(page.Locator("#webhooks")).Not.ToContainTextAsync(address);
    }

    [BrowserFact]
    public async Task Messages_are_found_by_the_template_as_the_page_shows_it()
    {
        var (product, sku, customer) = await console.ShopAsync();
        await console.OrderAsync(customer, product);
        await using var page = await console.SignInAsync("demo-admin", "messages");
        await page.GetByLabel("Template").FillAsync("Order confirmed");
        await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        await Expect(page.Locator("#notifications tr", new() { HasText = "order received" })).ToHaveCountAsync(0);
        await Expect(page.Locator("#notifications tr", new() { HasText = $"{sku}@example.com" })).ToContainTextAsync("order confirmed");
    }

    [BrowserFact]
    public async Task Two_clicks_create_one_webhook_and_one_new_secret()
    {
        await using var page = await console.SignInAsync("demo-admin", "messages/webhooks");
        var address = $"https://{ConsoleFixture.NewSku()}.example.com/".ToLowerInvariant();
        await page.GetByLabel("Address").FillAsync(address);
        await TwiceAsync("Create");
        await Expect(page.Locator("#secret")).ToContainTextAsync("whsec_");
        await Expect(page.GetByLabel("Address")).ToHaveValueAsync("");
        await Expect(page.Locator("#webhooks tr", new() { HasText = address })).ToHaveCountAsync(1);
        await page.GetByRole(AriaRole.Link, new() { Name = "Continue" }).ClickAsync();
        await TwiceAsync("New secret");
        await Expect(page.Locator("#secret")).ToContainTextAsync("whsec_");
        await Expect(page.Locator(".problem[role=alert]")).ToHaveCountAsync(0);
        Assert.Equal(2, (int)(await console.Api.GetFromJsonAsync<JsonNode>($"/api/notifications/webhooks/{page.Url.Split('/')[^1]}"))!["version"]!);

        async Task TwiceAsync(string name) =>
            await page.GetByRole(AriaRole.Button, new() { Name = name }).EvaluateAsync("button => { button.focus(); button.click(); button.click(); }");
    }
}

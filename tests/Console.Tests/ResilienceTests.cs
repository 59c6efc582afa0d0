using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>What a page does while a service is down.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class ResilienceTests(ConsoleFixture console)
{
    [BrowserFact]
    public async Task While_a_service_is_down_the_page_names_it_keeps_its_rows_and_recovers_by_itself()
    {
        var (product, sku, customer) = await console.ShopAsync(stock: 40);
        await console.OrderAsync(customer, product);
        await using var page = await console.SignInAsync("demo-admin", $"stock?q={sku}");
        await Expect(page.Locator("#stock tbody tr[data-id]")).ToHaveCountAsync(1);
        var today = await page.Context.NewPageAsync();
        await today.GotoAsync("");
        await Expect(today.Locator("#states")).ToBeVisibleAsync();

        await console.Runner.StopAsync("inventory");
        // The search needs the service that is down; the previous results stay and are marked as possibly old.
        await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        await page.Locator("select").SelectOptionAsync("reserved");
        await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        await Expect(page.Locator(".problem")).ToContainTextAsync("may be out of date");
        await Expect(page.Locator("#stock tbody tr[data-id]")).ToHaveCountAsync(1);
        await today.GetByRole(AriaRole.Button, new() { Name = "day" }).ClickAsync();
        await Expect(today.GetByText("Not up to date, because these services do not answer:")).ToContainTextAsync("inventory");
        await Expect(today.Locator("#states")).ToBeVisibleAsync();

        await console.Runner.StartAsync("inventory");
        await Expect(page.Locator(".problem")).ToHaveCountAsync(0, new() { Timeout = 20_000 });
        await Expect(page.Locator("#stock tbody tr[data-id]")).ToHaveCountAsync(1);
        await Expect(today.GetByText("Not up to date")).ToHaveCountAsync(0, new() { Timeout = 20_000 });
    }

    [BrowserFact]
    public async Task An_action_on_an_order_that_somebody_else_changed_is_refused_and_shows_both_versions()
    {
        var (product, _, customer) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product);
        // Without the service that reports changes, a page keeps what it has read.
        await console.Runner.StopAsync("notifications");
        try
        {
            await using var page = await console.SignInAsync("demo-warehouse", $"orders/{order}");
            await Expect(page.Locator("#status")).ToHaveTextAsync("confirmed");
            await page.GetByLabel("Tracking number").FillAsync("ours");
            (await console.Api.PostAsJsonAsync($"/api/orders/{order}/ship", new { carrier = "UPS", trackingNumber = "theirs" })).EnsureSuccessStatusCode();
            await page.GetByRole(AriaRole.Button, new() { Name = "Ship", Exact = true }).ClickAsync();

            var conflict = page.Locator("section.problem");
            await Expect(conflict.Locator("tr", new() { HasText = "State" })).ToHaveTextAsync(new Regex(@"^\s*State\s*confirmed\s*shipped\s*$"));
            await Expect(conflict.Locator("tr", new() { HasText = "Tracking number" })).ToContainTextAsync("theirs");
            await Expect(conflict.Locator("tr", new() { HasText = "Changed by" })).ToContainTextAsync("demo-admin");
            await Expect(page.Locator("#status")).ToHaveTextAsync("shipped");
            await conflict.GetByRole(AriaRole.Button, new() { Name = "Dismiss" }).ClickAsync();
            await Expect(conflict).ToHaveCountAsync(0);

            // How to go on: what was typed is still there and now corrects the other person's shipment.
            await page.GetByRole(AriaRole.Button, new() { Name = "Correct shipment" }).ClickAsync();
            await Expect(page.Locator("[role=status]").GetByText("done")).ToBeVisibleAsync();
            Assert.Equal("ours", (string?)(await console.Api.GetFromJsonAsync<JsonNode>($"/api/orders/{order}"))!["trackingNumber"]);
        }
        finally
        {
            await console.Runner.StartAsync("notifications");
        }
    }

    [BrowserFact]
    public async Task A_page_survives_a_lost_connection_and_its_address_survives_a_restart()
    {
        var (product, sku, _) = await console.ShopAsync(stock: 40);
        await using var page = await console.SignInAsync("demo-warehouse", $"stock?q={sku}");
        await page.GetByLabel($"On hand {sku} default").FillAsync("39");
        await page.GetByLabel("Reason for the change").FillAsync("half a sentence");

        await console.Runner.StopAsync("gateway");
        var lost = page.Locator("#components-reconnect-modal");
        await Expect(lost).ToBeVisibleAsync();
        await console.Runner.StartAsync("gateway");
        await Expect(lost).ToBeHiddenAsync(new() { Timeout = 30_000 });
        await Expect(page.GetByLabel("Reason for the change")).ToHaveValueAsync("half a sentence");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save (1)" }).ClickAsync();
        await Expect(page.Locator("#stock tbody tr[data-id]")).ToContainTextAsync("saved");
        await Expect(page.Locator(".live")).ToHaveTextAsync("live", new() { Timeout = 20_000 });

        await console.Runner.StopAsync("console");
        await console.Runner.StartAsync("console");
        // The provider's own session signs the person in again, without a prompt.
        await Expect(page.GetByLabel($"On hand {sku} default")).ToHaveValueAsync("39", new() { Timeout = 30_000 });
        await Expect(page.Locator("#search")).ToHaveValueAsync(sku);
        Assert.NotEqual(Guid.Empty, product);
    }
}

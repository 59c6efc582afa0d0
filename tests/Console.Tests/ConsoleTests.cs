using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>What people do with the console, in a browser, on the whole system.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class ConsoleTests(ConsoleFixture console)
{
    private static readonly string s_screenshots = Path.Combine(AppContext.BaseDirectory, "screenshots");

    [BrowserFact]
    public async Task An_order_appears_and_changes_while_somebody_looks_and_is_shipped_from_the_list()
    {
        var (product, sku, customer) = await console.ShopAsync();
        var page = await console.SignInAsync("demo-admin", $"orders?q={sku}");
        await Expect(page.Locator(".live")).ToHaveTextAsync("live");
        await Expect(page.GetByText("Nothing was found.")).ToBeVisibleAsync();

        var order = await console.OrderAsync(customer, product, 2);

        var row = page.Locator($"tr[data-id='{order}']");
        await Expect(row).ToContainTextAsync("confirmed");
        await Expect(row).ToContainTextAsync("9.00 EUR");
        await row.GetByRole(AriaRole.Checkbox).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Ship the selected" }).ClickAsync();
        await Expect(row.Locator(".status")).ToHaveTextAsync("shipped");
        await Expect(row.Locator(".result")).ToHaveTextAsync("done");
        await page.Context.CloseAsync();
    }

    [BrowserFact]
    public async Task Two_people_at_one_order_see_what_the_other_does()
    {
        var (product, _, customer) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product);
        var page = await console.SignInAsync("demo-admin", $"orders/{order}");
        await Expect(page.Locator("#status")).ToHaveTextAsync("confirmed");
        (await console.Api.PostAsJsonAsync($"/api/orders/{order}/ship", new { carrier = "UPS", trackingNumber = "1Z" })).EnsureSuccessStatusCode();
        await Expect(page.Locator("#status")).ToHaveTextAsync("shipped");
        await Expect(page.Locator(".timeline")).ToContainTextAsync("UPS");
        await page.GetByRole(AriaRole.Button, new() { Name = "Mark as delivered" }).ClickAsync();
        await Expect(page.Locator("#status")).ToHaveTextAsync("delivered");
        await page.Context.CloseAsync();
    }

    [BrowserFact]
    public async Task Stock_is_edited_in_place_and_what_moved_meanwhile_is_not_overwritten()
    {
        var (product, sku, _) = await console.ShopAsync(stock: 40);
        var page = await console.SignInAsync("demo-warehouse", $"stock?q={sku}");
        var units = page.GetByLabel($"On hand {sku} default");
        await Expect(units).ToHaveValueAsync("40");
        await units.FillAsync("38");
        await page.GetByLabel("Reason of a change").FillAsync("count");
        // Somebody takes two away before it is saved: this person counted 38 of 40, not of 35.
        await console.PostAsync($"/api/inventory/{product}/adjustments", new { delta = -5, reason = "damaged" });
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator("#stock tbody tr")).ToContainTextAsync("The stock is not as expected. (35)");
        Assert.Equal(35, (int)(await console.Api.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}"))!["onHand"]!);

        await Expect(units).ToHaveValueAsync("35");
        await units.FillAsync("33");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator("#stock tbody tr")).ToContainTextAsync("saved");
        Assert.Equal(33, (int)(await console.Api.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}"))!["onHand"]!);

        await page.GetByRole(AriaRole.Link, new() { Name = sku }).ClickAsync();
        await Expect(page.Locator("#ledger tbody tr")).ToHaveCountAsync(3);
        await Expect(page.Locator("#ledger tbody tr").First).ToContainTextAsync("counted");
        await page.Context.CloseAsync();
    }

    [BrowserFact]
    public async Task Each_role_sees_what_it_may_do_and_no_token_reaches_the_browser()
    {
        var (product, _, customer) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product);
        var support = await console.SignInAsync("demo-support", $"orders/{order}");
        await Expect(support.GetByRole(AriaRole.Button, new() { Name = "Cancel the order" })).ToBeVisibleAsync();
        await Expect(support.GetByRole(AriaRole.Button, new() { Name = "Ship", Exact = true })).ToHaveCountAsync(0);
        await support.GotoAsync("stock");
        await Expect(support.Locator("#stock")).ToBeVisibleAsync();
        await Expect(support.GetByLabel("Reason of a change")).ToHaveCountAsync(0);

        var warehouse = await console.SignInAsync("demo-warehouse", $"orders/{order}");
        await Expect(warehouse.GetByRole(AriaRole.Button, new() { Name = "Ship", Exact = true })).ToBeVisibleAsync();
        await Expect(warehouse.GetByRole(AriaRole.Button, new() { Name = "Cancel the order" })).ToHaveCountAsync(0);
        await Expect(warehouse.GetByRole(AriaRole.Link, new() { Name = "Messages" })).ToHaveCountAsync(0);

        // A token is three parts of base64, and the first of each begins with {"
        Assert.DoesNotContain((await warehouse.Context.CookiesAsync()).Select(c => c.Value), value => value.Contains("eyJ", StringComparison.Ordinal));
        Assert.DoesNotContain("eyJ", await warehouse.ContentAsync(), StringComparison.Ordinal);
        Assert.Equal("{}{}", await warehouse.EvaluateAsync<string>("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)"));
        await support.Context.CloseAsync();
        await warehouse.Context.CloseAsync();
    }

    [BrowserFact]
    public async Task Keys_alone_search_and_lead_from_page_to_page()
    {
        var (product, sku, customer) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product);
        var page = await console.SignInAsync("demo-admin");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Today");
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("o");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Orders");
        await page.Keyboard.PressAsync("/");
        await Expect(page.Locator("#search")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync(sku);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#orders tbody tr")).ToHaveCountAsync(1);
        await Expect(page).ToHaveURLAsync(new Regex($"q={sku}$"));
        await page.GetByRole(AriaRole.Link, new() { Name = order.ToString()[..13] }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("h1")).ToContainTextAsync(order.ToString());
        await page.GoBackAsync();
        await Expect(page.Locator("#search")).ToHaveValueAsync(sku);
        await page.Context.CloseAsync();
    }

    [BrowserFact]
    public async Task Every_page_is_accessible_in_light_and_dark_at_three_widths_and_fits_a_phone()
    {
        var (product, _, customer) = await console.ShopAsync(stock: 3);
        var order = await console.OrderAsync(customer, product);
        Directory.CreateDirectory(s_screenshots);
        var page = await console.SignInAsync("demo-admin");
        var complaints = new List<string>();
        foreach (var (name, path) in new[]
        {
            ("today", ""), ("orders", "orders"), ("order", $"orders/{order}"), ("stock", "stock"), ("product", $"stock/{product}"), ("reconciliation", "stock/reconciliation"),
            ("messages", "messages"), ("dead-letters", "messages/dead-letters"),
        })
        {
            await page.GotoAsync(path);
            await Expect(page.Locator("h1")).ToBeVisibleAsync();
            await Expect(page.Locator(".live")).ToHaveTextAsync("live");
            foreach (var (width, scheme) in new[] { (1280, ColorScheme.Light), (1280, ColorScheme.Dark), (768, ColorScheme.Light), (390, ColorScheme.Dark), (390, ColorScheme.Light) })
            {
                await page.SetViewportSizeAsync(width, 800);
                await page.EmulateMediaAsync(new() { ColorScheme = scheme });
                var result = await page.RunAxe();
                complaints.AddRange(result.Violations.Select(v => $"{name} {width} {scheme}: {v.Id}: {v.Help}: {string.Join(" | ", v.Nodes.Take(3).Select(n => n.Html))}"));
                if (await page.EvaluateAsync<bool>("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
                {
                    complaints.Add($"{name} {width}: wider than the screen");
                }

                await page.ScreenshotAsync(new() { Path = Path.Combine(s_screenshots, $"{name}-{width}-{scheme}.png".ToLowerInvariant()) });
            }
        }

        Assert.True(complaints.Count == 0, string.Join('\n', complaints));
        await page.Context.CloseAsync();
    }

    [BrowserFact]
    public async Task Readers_of_German_have_German_words()
    {
        var page = await console.SignInAsync("demo-support", "orders", new() { Locale = "de-DE" });
        await Expect(page.Locator("h1")).ToHaveTextAsync("Bestellungen");
        await Expect(page.Locator("html")).ToHaveAttributeAsync("lang", "de");
        await page.Context.CloseAsync();
    }
}

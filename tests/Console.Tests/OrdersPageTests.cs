using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>The list of orders, one order, and its revision.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class OrdersPageTests(ConsoleFixture console)
{
    [BrowserFact]
    public async Task An_order_appears_and_changes_while_somebody_looks_and_is_shipped_from_the_list()
    {
        var (product, sku, customer) = await console.ShopAsync();
        await using var page = await console.SignInAsync("demo-admin", $"orders?q={sku}");
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
    }

    [BrowserFact]
    public async Task Two_people_at_one_order_see_what_the_other_does()
    {
        var (product, _, customer) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product);
        await using var page = await console.SignInAsync("demo-admin", $"orders/{order}");
        await Expect(page.Locator("#status")).ToHaveTextAsync("confirmed");
        (await console.Api.PostAsJsonAsync($"/api/orders/{order}/ship", new { carrier = "UPS", trackingNumber = "1Z" })).EnsureSuccessStatusCode();
        await Expect(page.Locator("#status")).ToHaveTextAsync("shipped");
        await Expect(page.Locator(".timeline")).ToContainTextAsync("UPS");
        await page.GetByRole(AriaRole.Button, new() { Name = "Mark as delivered" }).ClickAsync();
        await Expect(page.Locator("#status")).ToHaveTextAsync("delivered");
    }

    [BrowserFact]
    public async Task Support_revises_an_order_after_seeing_price_and_stock()
    {
        var (product, sku, customer) = await console.ShopAsync(stock: 5);
        var (_, other, _) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product, 2);
        await using var page = await console.SignInAsync("demo-support", $"orders/{order}");
        await page.GetByRole(AriaRole.Link, new() { Name = "Revise the order" }).ClickAsync();
        // Pressed without a SKU it adds nothing.
        await page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await page.GetByLabel("Add a product by its SKU").FillAsync(" ");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Expect(page.Locator(".problem")).ToContainTextAsync("There is no such product.");
        await page.GetByLabel($"Number {sku}").FillAsync("6");
        await page.GetByLabel("Add a product by its SKU").FillAsync(other);
        await page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Expect(page.Locator("#total")).ToHaveTextAsync("31.50 EUR");
        // What the order holds counts: 5 can be had, not 3.
        await Expect(page.Locator("#lines tbody tr").First).ToContainTextAsync("5 too few");

        await page.GetByRole(AriaRole.Button, new() { Name = "Ask for these lines" }).ClickAsync();
        await Expect(page.Locator(".problem")).ToContainTextAsync("stock");

        await page.GetByLabel($"Number {sku}").FillAsync("5");
        await page.GetByRole(AriaRole.Button, new() { Name = "Ask for these lines" }).ClickAsync();
        await Expect(page.Locator("#status")).ToHaveTextAsync("confirmed");
        await Expect(page.Locator("tfoot")).ToContainTextAsync("27.00 EUR");
    }

    [BrowserFact]
    public async Task The_list_is_exported_with_its_filters_and_a_search_is_kept_as_a_view()
    {
        var (product, sku, customer) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product, 3);
        await using var page = await console.SignInAsync("demo-warehouse", $"orders?q={sku}");
        await Expect(page.Locator("#orders tbody tr")).ToHaveCountAsync(1);
        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "Export these" }).ClickAsync());
        var lines = await File.ReadAllLinesAsync(await download.PathAsync());
        Assert.Equal(2, lines.Length);
        Assert.StartsWith($"{order},", lines[1], StringComparison.Ordinal);
        Assert.Contains($"3 x {sku}", lines[1], StringComparison.Ordinal);

        await page.GetByText("Saved views").ClickAsync();
        await page.GetByLabel("Name of this view").FillAsync("tea");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save this view" }).ClickAsync();
        // Not by WaitForFunction, whose second look is an eval, which the page's policy forbids.
        await Eventually.TrueAsync(() => page.EvaluateAsync<bool>("localStorage.getItem('console.views.orders') !== null"), TimeSpan.FromSeconds(30), "the view is kept");
        await page.GotoAsync("orders");
        await page.GetByText("Saved views").ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "tea" }).ClickAsync();
        await Expect(page.Locator("#search")).ToHaveValueAsync(sku);
    }
}

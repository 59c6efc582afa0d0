using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>The grid of stock, one product's ledger, and the stocktake.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class StockPageTests(ConsoleFixture console)
{
    [BrowserFact]
    public async Task Stock_is_edited_in_place_and_concurrent_changes_are_not_overwritten()
    {
        var (product, sku, _) = await console.ShopAsync(stock: 40);
        await using var page = await console.SignInAsync("demo-warehouse", $"stock?q={sku}");
        var units = page.GetByLabel($"On hand {sku} default");
        await Expect(units).ToHaveValueAsync("40");
        await units.FillAsync("38");
        await page.GetByLabel("Reason for the change").FillAsync("count");
        // Five units are taken out before the change is saved: this person counted 38 of 40, not of 35.
        await console.PostAsync($"/api/inventory/{product}/adjustments", new { delta = -5, reason = "damaged" });
        await page.GetByRole(AriaRole.Button, new() { Name = "Save (1)" }).ClickAsync();
        await Expect(page.Locator("#stock tbody tr[data-id]")).ToContainTextAsync("The stock is not as expected. (35)");
        Assert.Equal(35, await OnHandAsync(product));

        await Expect(units).ToHaveValueAsync("35");
        await units.FillAsync("33");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save (1)" }).ClickAsync();
        await Expect(page.Locator("#stock tbody tr[data-id]")).ToContainTextAsync("saved");
        Assert.Equal(33, await OnHandAsync(product));

        await page.GetByRole(AriaRole.Link, new() { Name = sku }).ClickAsync();
        await Expect(page.Locator("#ledger tbody tr[data-id]")).ToHaveCountAsync(3);
        await Expect(page.Locator("#ledger tbody tr[data-id]").First).ToContainTextAsync("counted");
    }

    [BrowserFact]
    public async Task The_warehouse_adjusts_moves_and_sets_a_threshold()
    {
        var (product, sku, _) = await console.ShopAsync(stock: 20);
        var place = "p" + sku[2..8].ToLowerInvariant();
        await console.PostAsync("/api/inventory/locations", new { code = place, name = $"Shelf {place}", priority = 5 });
        await using var page = await console.SignInAsync("demo-warehouse", $"stock/{product}");
        await page.Locator("#delta").FillAsync("-3");
        await page.Locator("#reason").FillAsync("damaged");
        await page.GetByRole(AriaRole.Button, new() { Name = "Adjust" }).ClickAsync();
        await Expect(page.Locator("#on-hand")).ToHaveTextAsync("17");

        await page.Locator("#moved").FillAsync("7");
        await page.Locator("#to").SelectOptionAsync(place);
        await page.Locator("#why").FillAsync("refill");
        await page.GetByRole(AriaRole.Button, new() { Name = "Move", Exact = true }).ClickAsync();
        await Expect(page.Locator("#levels tr", new() { HasText = place })).ToContainTextAsync("7");

        await page.Locator("#threshold").FillAsync("30");
        await page.GetByRole(AriaRole.Button, new() { Name = "Set threshold" }).ClickAsync();
        await Expect(page.Locator("#low-at")).ToHaveTextAsync("30");
        Assert.Equal(17, await OnHandAsync(product));
    }

    [BrowserFact]
    public async Task A_scanned_SKU_is_found_among_many_with_the_same_beginning()
    {
        var sku = ConsoleFixture.NewSku();
        // A full page of other SKUs comes before it.
        await Task.WhenAll(Enumerable.Range(0, 51).Select(number => console.ProductAsync($"{sku}-{number}", 1)));
        await console.ProductAsync(sku, 7);
        await using var page = await console.SignInAsync("demo-warehouse", "stock/stocktake");
        await page.Locator("#sku").FillAsync(sku);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#expected")).ToHaveTextAsync("7");
        await page.Locator("#sku").FillAsync(sku + "-none");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".problem")).ToContainTextAsync("The stock record does not exist.");
    }

    [BrowserFact]
    public async Task A_stocktake_needs_nothing_but_a_scanner_and_digits()
    {
        var (product, sku, _) = await console.ShopAsync(stock: 12);
        await using var page = await console.SignInAsync("demo-warehouse", "stock/stocktake");
        await Expect(page.Locator("#sku")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync(sku);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#counted")).ToBeFocusedAsync();
        await Expect(page.Locator("#expected")).ToHaveTextAsync("12");
        // Two units are taken out during the count.
        await console.PostAsync($"/api/inventory/{product}/adjustments", new { delta = -2, reason = "damaged" });
        await page.Keyboard.TypeAsync("11");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".problem")).ToContainTextAsync("The stock is not as expected.");
        await Expect(page.Locator("#expected")).ToHaveTextAsync("10");
        await page.Locator("#counted").FillAsync("9");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#counts li")).ToContainTextAsync($"{sku} Tea {sku}: 9 (-1)");
        await Expect(page.Locator("#sku")).ToBeFocusedAsync();
        Assert.Equal(9, await OnHandAsync(product));
    }

    private async Task<int> OnHandAsync(Guid product) => (int)(await console.Api.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}"))!["onHand"]!;
}

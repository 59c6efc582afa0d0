using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>Creating, changing and importing products.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class CataloguePageTests(ConsoleFixture console)
{
    [BrowserFact]
    public async Task A_product_is_created_with_errors_at_the_fields_and_a_conflict_shows_both_versions()
    {
        var sku = ConsoleFixture.NewSku();
        await using var page = await console.SignInAsync("demo-catalog", "catalogue/new");
        await page.GetByLabel("SKU").FillAsync(sku);
        await page.GetByLabel("Name").FillAsync("<b>Chai</b>");
        await page.GetByLabel("Price").FillAsync("18.005");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator("label", new() { HasText = "Price" }).Locator(".wrong")).ToBeVisibleAsync();
        await page.GetByLabel("Price").FillAsync("18.00");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        // A name is shown as text, even if it looks like markup.
        await Expect(page.Locator("h1")).ToHaveTextAsync($"{sku} <b>Chai</b>");

        await Expect(page).ToHaveURLAsync(new Regex("/catalogue/[0-9a-f-]{36}$"));
        var id = page.Url.Split('/')[^1];
        using var theirs = new HttpRequestMessage(HttpMethod.Put, $"/api/products/{id}") { Content = JsonContent.Create(new { sku, name = "Masala Chai", price = new { amount = 21m, currency = "EUR" } }) };
        theirs.Headers.Add("If-Match", "\"1\"");
        (await console.Api.SendAsync(theirs)).EnsureSuccessStatusCode();
        await page.GetByLabel("Price").FillAsync("19.00");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        var conflict = page.Locator("section.problem");
        await Expect(conflict).ToContainTextAsync("Masala Chai");
        await Expect(conflict).ToContainTextAsync("21.00 EUR");
        await Expect(conflict).ToContainTextAsync("19.00 EUR");
        await conflict.GetByRole(AriaRole.Button, new() { Name = "Continue with my changes" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByText("saved")).ToBeVisibleAsync();
        Assert.Equal(19m, (decimal)(await console.Api.GetFromJsonAsync<JsonNode>($"/api/products/{id}"))!["price"]!["amount"]!);
    }

    [BrowserFact]
    public async Task A_file_has_a_dry_run_then_is_imported_and_its_bad_lines_are_downloaded()
    {
        var sku = ConsoleFixture.NewSku();
        var csv = $"sku,name,price,currency\r\n{sku}-1,Green tea,4.50,EUR\r\n=1+1,Bad,minus one,EUR\r\n{sku}-2,Black tea,5.00,EUR\r\n";
        await using var page = await console.SignInAsync("demo-catalog", "import/products");
        await page.GetByLabel("File").SetInputFilesAsync(new FilePayload { Name = "tea.csv", MimeType = "text/csv", Buffer = Encoding.UTF8.GetBytes(csv) });
        await page.GetByRole(AriaRole.Button, new() { Name = "Start dry run" }).ClickAsync();
        await Expect(page.Locator("#outcome")).ToContainTextAsync("Nothing was changed.");
        await Expect(page.Locator("#progress")).ToContainTextAsync("2 created");
        await Expect(page.Locator("#bad tbody tr")).ToHaveCountAsync(1);
        Assert.Empty((await console.Api.GetFromJsonAsync<JsonNode>($"/api/products?sku={sku}-1"))!["items"]!.AsArray());

        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Button, new() { Name = "Download errors" }).ClickAsync());
        // A value that a spreadsheet would calculate gets a leading apostrophe.
        Assert.StartsWith("3,'=1+1,", (await File.ReadAllLinesAsync(await download.PathAsync()))[1], StringComparison.Ordinal);

        await page.GetByLabel("Dry run").UncheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Import" }).ClickAsync();
        await Expect(page.Locator("#outcome")).ToContainTextAsync("Imported.");
        Assert.Single((await console.Api.GetFromJsonAsync<JsonNode>($"/api/products?sku={sku}-1"))!["items"]!.AsArray());
        await page.GotoAsync($"catalogue?q={sku}");
        await Expect(page.Locator("#products tbody tr[data-id]")).ToHaveCountAsync(2);
    }

    [BrowserFact]
    public async Task A_price_is_taken_with_a_comma_and_refused_when_it_could_mean_thousands()
    {
        var product = await console.ProductAsync(ConsoleFixture.NewSku(), 1);
        await using var page = await console.SignInAsync("demo-catalog", $"catalogue/{product}");
        var wrong = page.Locator("label", new() { HasText = "Price" }).Locator(".wrong");
        await page.GetByLabel("Price").FillAsync("1.850");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(wrong).ToContainTextAsync("such as 1850.00");
        // The box names the field as the page does, not as the API.
        await Expect(page.Locator(".problem")).ToContainTextAsync("Price: Enter an amount");
        Assert.Equal(4.50m, await PriceAsync());
        foreach (var (typed, price) in new[] { ("18,50", 18.50m), (" 19.00 ", 19.00m) })
        {
            await page.GetByLabel("Price").FillAsync(typed);
            await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
            await Eventually.TrueAsync(async () => await PriceAsync() == price, TimeSpan.FromSeconds(30), $"the price is {price}");
            await Expect(wrong).ToHaveCountAsync(0);
        }

        async Task<decimal> PriceAsync() => (decimal)(await console.Api.GetFromJsonAsync<JsonNode>($"/api/products/{product}"))!["price"]!["amount"]!;
    }

    [BrowserFact]
    public async Task What_is_typed_survives_a_change_of_state_and_a_stale_deletion_shows_both_versions()
    {
        var sku = ConsoleFixture.NewSku();
        var product = await console.ProductAsync(sku, 1);
        await using var page = await console.SignInAsync("demo-catalog", $"catalogue/{product}");
        await page.GetByLabel("Description").FillAsync("First flush");
        await page.GetByRole(AriaRole.Button, new() { Name = "Discontinue" }).ClickAsync();
        await Expect(page.Locator(".status")).ToHaveTextAsync("discontinued");
        await Expect(page.GetByLabel("Description")).ToHaveValueAsync("First flush");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Reactivate" })).ToBeFocusedAsync();

        using var theirs = new HttpRequestMessage(HttpMethod.Put, $"/api/products/{product}") { Content = JsonContent.Create(new { sku, name = "Assam", price = new { amount = 21m, currency = "EUR" } }) };
        theirs.Headers.Add("If-Match", "\"2\"");
        (await console.Api.SendAsync(theirs)).EnsureSuccessStatusCode();
        await DeleteAsync();
        var conflict = page.Locator("section.problem");
        await Expect(conflict).ToContainTextAsync("Assam");
        await Expect(conflict).ToContainTextAsync("First flush");
        await Expect(conflict).ToBeFocusedAsync();
        await conflict.GetByRole(AriaRole.Button, new() { Name = "Continue with my changes" }).ClickAsync();
        await Expect(page.Locator("main form")).ToBeFocusedAsync();
        await Expect(page.GetByLabel("Description")).ToHaveValueAsync("First flush");
        await DeleteAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Catalogue");

        async Task DeleteAsync()
        {
            await page.GetByRole(AriaRole.Button, new() { Name = "Delete product" }).ClickAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "Delete permanently" }).ClickAsync();
        }
    }
}

using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>The file and the result of an import.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class ImportPageTests(ConsoleFixture console)
{
    [BrowserFact]
    public async Task A_dry_run_says_so_even_if_its_box_is_unticked_while_it_runs()
    {
        var sku = ConsoleFixture.NewSku();
        await using var page = await console.SignInAsync("demo-catalog", "import/products");
        var csv = $"sku,name,price,currency\r\n{sku},Green tea,4.50,EUR\r\n";
        await page.GetByLabel("File").SetInputFilesAsync(new FilePayload { Name = "tea.csv", MimeType = "text/csv", Buffer = Encoding.UTF8.GetBytes(csv) });
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Start dry run" })).ToBeEnabledAsync();
        // Both events are on their way before the page can disable the box.
        await page.EvaluateAsync("() => { document.querySelector('main button[type=submit]').click(); document.querySelector('main input[type=checkbox]').click(); }");

        await Expect(page.Locator("#outcome")).ToHaveTextAsync("Nothing was changed. This is what the import would do.");
        Assert.Empty((await console.Api.GetFromJsonAsync<JsonNode>($"/api/products?sku={sku}"))!["items"]!.AsArray());
        await page.GetByRole(AriaRole.Button, new() { Name = "Import" }).ClickAsync();
        await Expect(page.Locator("#outcome")).ToHaveTextAsync("Imported.");
    }

    [BrowserFact]
    public async Task A_file_that_is_too_large_or_was_changed_after_its_selection_is_named_as_the_reason()
    {
        var sku = ConsoleFixture.NewSku();
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var (large, file) = (Path.Combine(folder.FullName, "large.csv"), Path.Combine(folder.FullName, "tea.csv"));
            await using (var content = File.Create(large))
            {
                content.SetLength((100 * 1024 * 1024) + 1);
            }

            await using var page = await console.SignInAsync("demo-catalog", "import/products");
            var start = page.GetByRole(AriaRole.Button, new() { Name = "Start dry run" });
            await page.GetByLabel("File").SetInputFilesAsync(large);
            await Expect(page.Locator(".wrong")).ToHaveTextAsync("The file is larger than 100 MB.");
            await Expect(start).ToBeDisabledAsync();

            await File.WriteAllTextAsync(file, $"sku,name,price,currency\r\n{sku},Green tea,4.50,EUR\r\n");
            await page.GetByLabel("File").SetInputFilesAsync(file);
            await start.ClickAsync();
            await Expect(page.Locator("#progress")).ToContainTextAsync("1 created");
            await File.AppendAllTextAsync(file, $"{sku}-2,Black tea,5.00,EUR\r\n");
            await start.ClickAsync();
            await Expect(page.Locator(".problem")).ToContainTextAsync("The file was changed or removed after it was selected.");
            await Expect(start).ToBeDisabledAsync();

            await page.GetByLabel("File").SetInputFilesAsync(file);
            await start.ClickAsync();
            await Expect(page.Locator("#progress")).ToContainTextAsync("2 created");
            await Expect(page.Locator(".problem")).ToHaveCountAsync(0);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [BrowserFact]
    public async Task Going_back_from_one_import_to_the_other_does_not_keep_its_file()
    {
        await using var page = await console.SignInAsync("demo-admin", "import/products");
        await page.GetByLabel("File").SetInputFilesAsync(new FilePayload { Name = "tea.csv", MimeType = "text/csv", Buffer = "sku\r\n"u8.ToArray() });
        await page.GetByRole(AriaRole.Button, new() { Name = "Start dry run" }).ClickAsync();
        await Expect(page.Locator("#outcome")).ToBeVisibleAsync();

        await page.EvaluateAsync("Blazor.navigateTo('import/inventory')");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Import stock");
        await Expect(page.Locator("#outcome")).ToHaveCountAsync(0);
        await Expect(page.GetByLabel("File")).ToHaveValueAsync("");

        await page.EvaluateAsync("Blazor.navigateTo('import/something')");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Page not found.");
    }
}

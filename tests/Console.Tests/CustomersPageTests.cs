using System.Net;
using Microsoft.Playwright;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>Creating, changing and erasing customers.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class CustomersPageTests(ConsoleFixture console)
{
    [BrowserFact]
    public async Task Support_creates_changes_and_erases_a_customer_after_a_confirmation()
    {
        var mail = $"{ConsoleFixture.NewSku()}@example.com".ToLowerInvariant();
        await using var page = await console.SignInAsync("demo-support", "customers/new");
        await page.GetByLabel("Name").FillAsync("Maria Anders");
        await page.GetByLabel("E-mail").FillAsync(mail);
        await page.GetByLabel("Language").FillAsync("not a language");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator("label", new() { HasText = "Language" }).Locator(".wrong")).ToBeVisibleAsync();
        await page.GetByLabel("Language").FillAsync("de");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Maria Anders");

        await page.GetByLabel("Phone").FillAsync("+49 30 0074321");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByText("saved")).ToBeVisibleAsync();
        var id = page.Url.Split('/')[^1];

        await page.GetByRole(AriaRole.Button, new() { Name = "Erase customer" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alertdialog)).ToContainTextAsync(mail);
        // The harmless answer has the focus.
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Cancel" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        Assert.Equal(HttpStatusCode.OK, (await console.Api.GetAsync($"/api/customers/{id}")).StatusCode);
        await page.GetByRole(AriaRole.Button, new() { Name = "Erase customer" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Erase permanently" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Customers");
        Assert.Equal(HttpStatusCode.NotFound, (await console.Api.GetAsync($"/api/customers/{id}")).StatusCode);
    }
}

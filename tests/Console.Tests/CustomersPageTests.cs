using System.Net;
using System.Net.Http.Json;
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

    [BrowserFact]
    public async Task Two_clicks_create_one_customer_and_Escape_closes_a_question()
    {
        var mail = $"{ConsoleFixture.NewSku()}@example.com".ToLowerInvariant();
        await using var page = await console.SignInAsync("demo-support", "customers/new");
        await page.GetByLabel("Name").FillAsync("Maria Anders");
        await page.GetByLabel("E-mail").FillAsync(mail);
        await page.GetByLabel("Language").FillAsync("not a language");
        var save = page.GetByRole(AriaRole.Button, new() { Name = "Save" });
        await save.ClickAsync();
        await Expect(page.Locator(".problem")).ToContainTextAsync("Language:");
        await Expect(page.Locator(".problem")).Not.ToContainTextAsync("$.");
        await Expect(page.Locator(".problem")).Not.ToContainTextAsync("See errors");
        await page.GetByLabel("Language").FillAsync("en");
        await save.EvaluateAsync("button => { button.focus(); button.click(); button.click(); }");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Maria Anders");
        await Expect(page.Locator(".problem")).ToHaveCountAsync(0);

        var erase = page.GetByRole(AriaRole.Button, new() { Name = "Erase customer" });
        await erase.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Cancel" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Alertdialog)).ToHaveCountAsync(0);
        await Expect(erase).ToBeFocusedAsync();

        // Somebody else changes the customer: the erasure is not for the version that was shown.
        var id = page.Url.Split('/')[^1];
        using var theirs = new HttpRequestMessage(HttpMethod.Put, $"/api/customers/{id}") { Content = JsonContent.Create(new { name = "Maria Berg", email = mail }) };
        theirs.Headers.Add("If-Match", "\"1\"");
        (await console.Api.SendAsync(theirs)).EnsureSuccessStatusCode();
        await EraseAsync();
        var conflict = page.Locator("section.problem");
        await Expect(conflict).ToContainTextAsync("Maria Berg");
        await conflict.GetByRole(AriaRole.Button, new() { Name = "Use the current version" }).ClickAsync();
        await Expect(page.GetByLabel("Name")).ToHaveValueAsync("Maria Berg");
        await EraseAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Customers");

        async Task EraseAsync()
        {
            await erase.ClickAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "Erase permanently" }).ClickAsync();
        }
    }
}

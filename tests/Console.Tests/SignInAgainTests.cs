using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>A page whose session has ended goes on after its person has signed in again in another tab.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class SignInAgainTests(ConsoleFixture console)
{
    [BrowserFact]
    public async Task What_is_typed_is_saved_after_the_same_person_has_signed_in_again_in_another_tab()
    {
        var product = await console.ProductAsync(ConsoleFixture.NewSku(), 1);
        await using var page = await console.SignInAsync("demo-catalog", $"catalogue/{product}");
        await page.GetByLabel("Category").FillAsync("black tea");
        var other = await page.Context.NewPageAsync();
        await other.GotoAsync("stock");
        await other.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(other.GetByLabel("Secret")).ToBeVisibleAsync();
        var save = page.GetByRole(AriaRole.Button, new() { Name = "Save" });
        await save.ClickAsync();
        await Expect(page.Locator(".problem")).ToContainTextAsync("You are no longer signed in.");

        // Somebody else does not go on with this page.
        await Expect(await SignInAsync("demo-admin", signOut: true)).ToHaveTextAsync("The other tab could not continue.");
        await save.ClickAsync();
        await Expect(page.Locator(".problem")).ToContainTextAsync("You are no longer signed in.");

        await Expect(await SignInAsync("demo-catalog", signOut: false)).ToHaveTextAsync("You are signed in again.");
        await save.ClickAsync();
        await Expect(page.Locator("main form [role=status]")).ToHaveTextAsync("saved");
        Assert.Equal("black tea", (string?)(await console.Api.GetFromJsonAsync<JsonNode>($"/api/products/{product}"))!["category"]);

        async Task<ILocator> SignInAsync(string who, bool signOut)
        {
            var tab = await page.RunAndWaitForPopupAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "Sign in in another tab" }).ClickAsync());
            await console.EnterAsync(tab, who);
            await Expect(tab.Locator("h1")).ToContainTextAsync(new System.Text.RegularExpressions.Regex("again|continue"));
            if (signOut)
            {
                var last = await page.Context.NewPageAsync();
                await last.GotoAsync("");
                await last.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
                await Expect(last.GetByLabel("Secret")).ToBeVisibleAsync();
            }

            return tab.Locator("h1");
        }
    }
}

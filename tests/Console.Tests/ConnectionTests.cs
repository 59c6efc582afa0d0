using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>What a page does while its connection is lost.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class ConnectionTests(ConsoleFixture console)
{
    [BrowserFact]
    public async Task Nothing_can_be_typed_while_the_connection_is_lost_and_what_was_typed_before_arrives()
    {
        var (_, _, customer) = await console.ShopAsync();
        await using var page = await console.SignInAsync("demo-support");
        IWebSocketRoute? socket = null;
        var isDead = false;
        await page.RouteWebSocketAsync("**/_blazor*", browser =>
        {
            socket = browser;
            var server = browser.ConnectToServer();
            browser.OnMessage(frame =>
            {
                if (!isDead)
                {
                    // The console's frames are binary, after a handshake in text.
                    if (frame.Binary is { } binary)
                    {
                        server.Send(binary);
                    }
                    else
                    {
                        server.Send(frame.Text!);
                    }
                }
            });
        });
        await page.GotoAsync($"customers/{customer}");
        await Expect(page.Locator(".live")).ToHaveTextAsync("live");
        await page.GetByLabel("Phone").FillAsync("+49 30 1");
        await Expect(page.GetByLabel("Phone")).ToHaveValueAsync("+49 30 1");

        // What is sent now is lost, and then the browser sees that the connection is closed.
        isDead = true;
        await page.GetByLabel("Phone").FillAsync("+49 30 555");
        await page.Keyboard.PressAsync("Tab");
        await page.GetByLabel("Phone").FocusAsync();
        await page.RouteAsync("**/_blazor/negotiate*", route => route.AbortAsync());
        await socket!.CloseAsync();
        await Expect(page.Locator("#components-reconnect-modal")).ToBeVisibleAsync();
        await Expect(page.Locator("main[inert]")).ToBeVisibleAsync();
        await Expect(page.Locator(".live")).ToBeHiddenAsync();
        await page.Keyboard.TypeAsync("go");

        isDead = false;
        await page.UnrouteAsync("**/_blazor/negotiate*");
        await Expect(page.Locator("#components-reconnect-modal")).ToBeHiddenAsync();
        await Expect(page.Locator("main[inert]")).ToHaveCountAsync(0);
        await Expect(page.Locator(".live")).ToBeVisibleAsync();
        await Expect(page.GetByLabel("Phone")).ToBeFocusedAsync();
        await Expect(page.GetByLabel("Phone")).ToHaveValueAsync("+49 30 555");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator("main form [role=status]")).ToHaveTextAsync("saved");
        Assert.Equal("+49 30 555", (string?)(await console.Api.GetFromJsonAsync<JsonNode>($"/api/customers/{customer}"))!["phone"]);
    }

    [BrowserFact]
    public async Task A_page_that_cannot_be_reconnected_is_loaded_again_only_when_the_server_answers()
    {
        await using var page = await console.SignInAsync("demo-support", "orders");
        await Expect(page.Locator("[aria-busy=false]")).ToBeVisibleAsync();
        await page.EvaluateAsync("document.body.id = 'before'");
        var tries = 0;
        var isOffline = true;
        await page.RouteAsync("**/console*.css", route =>
        {
            Interlocked.Increment(ref tries);
            return isOffline ? route.AbortAsync("internetdisconnected") : route.ContinueAsync();
        });
        await page.EvaluateAsync(
            "document.getElementById('components-reconnect-modal').dispatchEvent(new CustomEvent('components-reconnect-state-changed', { detail: { state: 'failed' } }))");
        await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref tries) >= 2), TimeSpan.FromSeconds(30), "the page asks for the server again");
        await Expect(page.Locator("#before h1")).ToHaveTextAsync("Orders");

        isOffline = false;
        await Expect(page.Locator("body:not(#before) h1")).ToHaveTextAsync("Orders");
    }
}

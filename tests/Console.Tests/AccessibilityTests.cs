using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Microsoft.Playwright;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>Keyboard, widths, colours, languages.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class AccessibilityTests(ConsoleFixture console)
{
    /// <summary>Runs axe on the rendered page; in dark mode it checks only the contrast, because only colours depend on the scheme.</summary>
    private const string Look = """
        async isDark => (await axe.run(document, isDark ? { resultTypes: ['violations'], runOnly: ['color-contrast'] } : { resultTypes: ['violations'] }))
          .violations.map(v => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => n.html).join(' | ')}`)
        """;

    private static readonly string s_axe = new BundledAxeScriptProvider().GetScript();
    private static readonly string s_screenshots = Path.Combine(AppContext.BaseDirectory, "screenshots");

    [BrowserFact]
    public async Task The_keyboard_alone_is_enough_to_search_and_to_change_pages()
    {
        var (product, sku, customer) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product);
        await using var page = await console.SignInAsync("demo-admin");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Today");
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("o");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Orders");
        await Expect(page.Locator("h1")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("/");
        await Expect(page.Locator("#search")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync(sku);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#orders tbody tr[data-id]")).ToHaveCountAsync(1);
        await Expect(page).ToHaveURLAsync(new Regex($"q={sku}$"));
        await page.GetByRole(AriaRole.Link, new() { Name = order.ToString()[..13] }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("h1")).ToContainTextAsync(order.ToString());
        await Expect(page.Locator("h1")).ToBeFocusedAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Ship", Exact = true })).ToBeVisibleAsync();
        // From the heading on, Tab reaches the available actions, and Enter performs them.
        for (var tabs = 0; tabs < 30 && await page.EvaluateAsync<string>("document.activeElement.textContent") != "Ship"; tabs++)
        {
            await page.Keyboard.PressAsync("Tab");
        }

        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#status")).ToHaveTextAsync("shipped");
        await page.GoBackAsync();
        await Expect(page.Locator("#search")).ToHaveValueAsync(sku);
    }

    [BrowserFact]
    public async Task Every_page_is_accessible_in_light_and_dark_at_three_widths_and_fits_a_phone()
    {
        var (product, sku, customer) = await console.ShopAsync(stock: 3);
        var order = await console.OrderAsync(customer, product);
        var webhook = (Guid)(await console.PostAsync("/api/notifications/webhooks", new { url = "https://shop.example.com/hook" }))["id"]!;
        Directory.CreateDirectory(s_screenshots);
        var complaints = new List<string>();
        await using var page = await console.SignInAsync("demo-admin");
        foreach (var (name, path) in new[]
        {
            ("today", ""), ("orders", "orders"), ("order", $"orders/{order}"), ("revise", $"orders/{order}/revise"), ("stock", "stock"), ("product-stock", $"stock/{product}"),
            ("reconciliation", "stock/reconciliation"), ("stocktake", "stock/stocktake"), ("catalogue", "catalogue"), ("product", $"catalogue/{product}"), ("import", "import/products"),
            ("customers", "customers"), ("customer", $"customers/{customer}"), ("messages", "messages"), ("dead-letters", "messages/dead-letters"), ("templates", "messages/templates"),
            ("template", "messages/templates/orderConfirmed/email/en"), ("webhooks", "messages/webhooks"), ("webhook", $"messages/webhooks/{webhook}"),
        })
        {
            await page.GotoAsync(path);
            await Expect(page.Locator("h1")).ToBeVisibleAsync();
            await Expect(page.Locator(".live")).ToHaveTextAsync("live");
            await Expect(page.Locator("[aria-busy=true]")).ToHaveCountAsync(0);
            await page.EvaluateAsync(s_axe);
            foreach (var (width, scheme) in new[] { (1280, ColorScheme.Light), (768, ColorScheme.Light), (390, ColorScheme.Light), (390, ColorScheme.Dark), (768, ColorScheme.Dark), (1280, ColorScheme.Dark) })
            {
                await page.SetViewportSizeAsync(width, 800);
                await page.EmulateMediaAsync(new() { ColorScheme = scheme });
                complaints.AddRange((await page.EvaluateAsync<string[]>(Look, scheme == ColorScheme.Dark)).Select(wrong => $"{name} {width} {scheme}: {wrong}"));
                if (await page.EvaluateAsync<bool>("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
                {
                    complaints.Add($"{name} {width}: wider than the screen");
                }

                if ((width, scheme) is (1280, ColorScheme.Light) or (390, ColorScheme.Dark))
                {
                    await page.ScreenshotAsync(new() { Path = Path.Combine(s_screenshots, $"{name}-{width}.png"), FullPage = width > 390 });
                }
            }
        }

        Assert.True(complaints.Count == 0, string.Join('\n', complaints));
        Assert.NotEmpty(sku);
    }

    [BrowserFact]
    public async Task Long_texts_break_every_menu_entry_is_in_view_and_no_quantity_is_cut()
    {
        var (sku, word) = (ConsoleFixture.NewSku(), new string('w', 90));
        var product = (Guid)(await console.PostAsync("/api/products", new { sku, name = word, price = new { amount = 4.50m, currency = "EUR" } }))["id"]!;
        (await console.Api.PutAsJsonAsync($"/api/inventory/{product}", new { onHand = 1_000_000_000 })).EnsureSuccessStatusCode();
        var customer = (Guid)(await console.PostAsync("/api/customers", new { name = word, email = $"{sku}@example.com" }))["id"]!;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders")
        {
            Content = JsonContent.Create(new
            {
                customerId = customer,
                lines = new[] { new { productId = product, quantity = 1 } },
                shipTo = new { name = word, line1 = word, city = word, postalCode = "10115", country = "DE" },
            }),
            Headers = { { "Idempotency-Key", sku }, { "Prefer", "wait=20" } },
        };
        using var placed = await console.Api.SendAsync(request);
        var order = (Guid)(await placed.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
        (await console.Api.PostAsJsonAsync($"/api/orders/{order}/ship", new { carrier = word, trackingNumber = word })).EnsureSuccessStatusCode();
        Directory.CreateDirectory(s_screenshots);
        var complaints = new List<string>();
        await using var page = await console.SignInAsync("demo-admin");
        foreach (var (name, path) in new[]
        {
            ("order", $"orders/{order}"), ("orders", $"orders?q={sku}"), ("stock", $"stock?q={sku}"), ("product-stock", $"stock/{product}"), ("product", $"catalogue/{product}"),
            ("customer", $"customers/{customer}"), ("import", "import/products"), ("nothing", "nothing"),
        })
        {
            await page.GotoAsync(path);
            await Expect(page.Locator("h1")).ToBeVisibleAsync();
            await Expect(page.Locator("[aria-busy=true]")).ToHaveCountAsync(0);
            if (name == "order")
            {
                await Expect(page.Locator(".timeline")).ToContainTextAsync(word);
            }

            foreach (var width in new[] { 360, 768, 1366 })
            {
                await page.SetViewportSizeAsync(width, 800);
                complaints.AddRange((await page.EvaluateAsync<string[]>(
                    """
                    () => [...document.querySelectorAll('html, main > *, .columns > *, section > *, .bar nav a, input.units')]
                      .filter(e => (e.scrollWidth > e.clientWidth + 1 && !e.matches('.scroll') && getComputedStyle(e).display !== 'inline') || e.getBoundingClientRect().right > innerWidth && !e.closest('.scroll'))
                      .map(e => `${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 40)}: ${e.clientWidth} of ${e.scrollWidth}`)
                    """)).Select(wrong => $"{name} {width}: {wrong}"));
                await page.ScreenshotAsync(new() { Path = Path.Combine(s_screenshots, $"long-{name}-{width}.png"), FullPage = true });
            }
        }

        Assert.True(complaints.Count == 0, string.Join('\n', complaints));
    }

    [BrowserFact]
    public async Task A_printed_list_has_no_scroll_area_and_no_controls()
    {
        var (product, sku, customer) = await console.ShopAsync();
        await console.OrderAsync(customer, product);
        await using var page = await console.SignInAsync("demo-support", $"orders?q={sku}");
        await Expect(page.Locator("#orders tbody tr[data-id]")).ToHaveCountAsync(1);
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        await Expect(page.Locator(".long")).ToHaveCSSAsync("max-height", "none");
        await Expect(page.Locator(".bar")).ToBeHiddenAsync();
        await Expect(page.Locator(".filters")).ToBeHiddenAsync();
        await Expect(page.Locator("#orders tbody tr[data-id]")).ToBeVisibleAsync();
    }

    [BrowserFact]
    public async Task A_page_says_that_its_times_are_in_UTC_when_the_browsers_time_zone_is_unknown()
    {
        await using var page = await console.SignInAsync("demo-support", "orders", new() { Locale = "de-DE" });
        await Expect(page.Locator("h1")).ToHaveTextAsync("Bestellungen");
        await Expect(page.GetByText("Zeiten sind in UTC")).ToHaveCountAsync(0);
        await page.AddInitScriptAsync("Intl.DateTimeFormat.prototype.resolvedOptions = () => ({ timeZone: 'Mars/Olympus' })");
        await page.GotoAsync("orders");
        await Expect(page.GetByText("Zeiten sind in UTC")).ToContainTextAsync("Mars/Olympus");
    }

    [BrowserFact]
    public async Task A_browser_in_German_gets_German_texts()
    {
        await using var page = await console.SignInAsync("demo-support", "orders", new() { Locale = "de-AT" });
        await Expect(page.Locator("h1")).ToHaveTextAsync("Bestellungen");
        await Expect(page.Locator("html")).ToHaveAttributeAsync("lang", "de");
    }
}

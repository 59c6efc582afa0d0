using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>Each page in each role: what the role may do is there and works, and nothing else is there.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class RolesTests(ConsoleFixture console)
{
    private const string Support = "demo-support";
    private const string Warehouse = "demo-warehouse";
    private const string Catalogue = "demo-catalog";
    private const string Admin = "demo-admin";

    /// <summary>Matches the address of a single resource, which ends with its id.</summary>
    private static readonly Regex s_one = new("/[0-9a-f-]{36}$");

    /// <param name="Path">Below <c>/console/</c>, with <c>{order}</c>, <c>{product}</c>, <c>{customer}</c>, <c>{webhook}</c> and <c>{sku}</c>.</param>
    /// <param name="Ready">An element that is there once the page is loaded.</param>
    /// <param name="Readers">Who may see the page. All others see a refusal.</param>
    /// <param name="Controls">Names of links and buttons, and who has each.</param>
    /// <param name="Work">The page's main task, and who performs it.</param>
    private sealed record PageRoles(string Path, string Ready, string[] Readers, (string Name, string[] Who)[] Controls, (Func<IPage, Shop, Task> Do, string[] Who)? Work = null);

    /// <summary>The data made for the test.</summary>
    private sealed record Shop(Guid Product, string Sku);

    private static readonly PageRoles[] s_pages =
    [
        new("", "main h1", [Support, Warehouse, Catalogue, Admin], []),
        new("orders?q={sku}", "#orders tr[data-id]", [Support, Warehouse, Admin],
            [("Export results", [Support, Warehouse, Admin]), ("Ship selected (0)", [Warehouse, Admin])]),
        new("orders/{order}/revise", "#total", [Support, Admin], [("Request these lines", [Support, Admin])],
            (async (page, shop) =>
            {
                await page.GetByLabel($"Quantity {shop.Sku}").FillAsync("2");
                await DoAsync(page, "Request these lines", "#status", "confirmed");
            }, [Support, Admin])),
        new("orders/{order}", "#status", [Support, Warehouse, Admin],
            [("Revise order", [Support, Admin]), ("Cancel order", [Support, Admin]), ("Ship", [Warehouse, Admin])],
            ((page, _) => DoAsync(page, "Ship", "#status", "shipped"), [Warehouse, Admin])),
        new("orders/{other}", "#status", [Support, Warehouse, Admin], [], ((page, _) => DoAsync(page, "Cancel order", "#status", "cancelled"), [Support])),
        new("stock?q={sku}", "#stock tr[data-id]", [Support, Warehouse, Catalogue, Admin],
            [("Stocktake", [Warehouse, Admin]), ("Reconciliation", [Warehouse, Admin]), ("Import", [Warehouse, Admin]), ("Save (0)", [Warehouse, Admin])]),
        new("stock/{product}", "#on-hand", [Support, Warehouse, Catalogue, Admin], [("Adjust", [Warehouse, Admin]), ("Set threshold", [Warehouse, Admin])],
            (async (page, _) =>
            {
                await page.Locator("#threshold").FillAsync("3");
                await DoAsync(page, "Set threshold", "#low-at", "3");
            }, [Warehouse, Admin])),
        new("stock/stocktake", "#sku", [Warehouse, Admin], [("Find", [Warehouse, Admin])],
            (async (page, shop) =>
            {
                await page.Locator("#sku").FillAsync(shop.Sku);
                await page.GetByRole(AriaRole.Button, new() { Name = "Find" }).ClickAsync();
                await page.Locator("#counted").FillAsync("90");
                await page.GetByRole(AriaRole.Button, new() { Name = "Save and next" }).ClickAsync();
                await Expect(page.Locator("#counts li")).ToContainTextAsync(shop.Sku);
            }, [Warehouse, Admin])),
        new("stock/reconciliation", "main h1", [Warehouse, Admin], [("Check all products", [Warehouse, Admin])],
            (async (page, _) =>
            {
                await page.GetByRole(AriaRole.Button, new() { Name = "Check all products" }).ClickAsync();
                await Expect(page.Locator("main [role=status]")).Not.ToHaveTextAsync(new Regex("^0 "));
            }, [Warehouse, Admin])),
        new("import/inventory", "main h1", [Warehouse, Admin], [("Start dry run", [Warehouse, Admin])],
            ((page, shop) => TryFileAsync(page, $"productId,onHand\r\n{shop.Product},91\r\n"), [Warehouse, Admin])),
        new("catalogue?q={sku}", "#products tr[data-id]", [Support, Warehouse, Catalogue, Admin],
            [("New product", [Catalogue, Admin]), ("Import", [Catalogue, Admin]), ("Export results", [Catalogue, Admin])]),
        new("catalogue/{product}", "main form", [Support, Warehouse, Catalogue, Admin], [("Save", [Catalogue, Admin]), ("Delete product", [Catalogue, Admin])],
            (async (page, _) =>
            {
                await page.GetByLabel("Category").FillAsync("black tea");
                await DoAsync(page, "Save", "main form [role=status]", "saved");
            }, [Catalogue, Admin])),
        new("catalogue/new", "main form", [Catalogue, Admin], [("Save", [Catalogue, Admin])],
            (async (page, _) =>
            {
                var sku = ConsoleFixture.NewSku();
                await page.GetByLabel("SKU").FillAsync(sku);
                await page.GetByLabel("Name").FillAsync("Green tea");
                await page.GetByLabel("Price").FillAsync("4.50");
                await page.GetByLabel("Currency").FillAsync("EUR");
                await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
                await Expect(page).ToHaveURLAsync(s_one);
                await Expect(page.GetByLabel("SKU")).ToHaveValueAsync(sku);
            }, [Catalogue, Admin])),
        new("import/products", "main h1", [Catalogue, Admin], [("Start dry run", [Catalogue, Admin])],
            ((page, shop) => TryFileAsync(page, $"sku,name,price,currency\r\n{shop.Sku}-1,Tea,4.50,EUR\r\n"), [Catalogue, Admin])),
        new("customers?q={sku}", "#customers tr[data-id]", [Support, Admin], [("New customer", [Support, Admin])]),
        new("customers/{customer}", "main form", [Support, Admin], [("Save", [Support, Admin]), ("Erase customer", [Support, Admin])],
            (async (page, _) =>
            {
                await page.GetByLabel("Phone").FillAsync("+49 30 1");
                await DoAsync(page, "Save", "main form [role=status]", "saved");
            }, [Support, Admin])),
        new("customers/new", "main form", [Support, Admin], [("Save", [Support, Admin])],
            (async (page, _) =>
            {
                await page.GetByLabel("Name").FillAsync("Maria");
                await page.GetByLabel("E-mail").FillAsync($"{ConsoleFixture.NewSku()}@example.com");
                await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
                await Expect(page).ToHaveURLAsync(s_one);
            }, [Support, Admin])),
        new("messages", "#notifications tr[data-id]", [Support, Admin],
            [("Resend all failed", [Support, Admin]), ("Dead letters", [Support, Admin]), ("Templates", [Admin]), ("Webhooks", [Admin])],
            (async (page, _) =>
            {
                await page.GetByRole(AriaRole.Button, new() { Name = "Resend all failed" }).ClickAsync();
                await Expect(page.GetByText("queued for resending")).ToBeVisibleAsync();
            }, [Support, Admin])),
        new("messages/dead-letters", "#dead-letters[aria-busy=false]", [Support, Admin], [("Search", [Support, Admin]), ("Replay all found", [Admin]), ("Discard all found", [Admin])],
            (async (page, _) =>
            {
                await page.GetByLabel("Reason contains").FillAsync("no reason like this");
                await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
                await Expect(page.GetByText("Nothing found.")).ToBeVisibleAsync();
            }, [Support, Admin])),
        new("messages/templates", "#templates tbody tr", [Admin], [("Open editor", [Admin])]),
        new("messages/templates/orderConfirmed/email/en", "main form", [Admin], [("Save as a new version", [Admin])]),
        new("messages/templates/orderConfirmed/email/eo", "main form", [Admin], [],
            (async (page, _) =>
            {
                await page.GetByLabel("Subject").FillAsync("Via mendo");
                await page.GetByLabel("Text").FillAsync("Saluton {{ name }}!");
                await page.GetByRole(AriaRole.Button, new() { Name = "Save as a new version" }).ClickAsync();
                await Expect(page.Locator("#versions li")).ToHaveCountAsync(1);
            }, [Admin])),
        new("messages/webhooks", "#webhooks[aria-busy=false]", [Admin], [("Create", [Admin])],
            (async (page, _) =>
            {
                await page.GetByLabel("Address").FillAsync($"https://{ConsoleFixture.NewSku()}.example.com/");
                await page.GetByLabel("order.created").CheckAsync();
                await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
                await Expect(page.Locator("#secret")).ToContainTextAsync("whsec_");
            }, [Admin])),
        new("messages/webhooks/{webhook}", "#active", [Admin], [("Send a test", [Admin]), ("Delete webhook", [Admin])],
            ((page, _) => DoAsync(page, "Switch off", "#active", "off"), [Admin])),
    ];

    [BrowserFact]
    public async Task Each_role_has_exactly_the_controls_that_it_may_use_and_they_work()
    {
        var (product, sku, customer) = await console.ShopAsync();
        var webhook = (Guid)(await console.PostAsync("/api/notifications/webhooks", new { url = $"https://{sku}.example.com/" }))["id"]!;
        var (shop, wrong) = (new Shop(product, sku), new List<string>());
        foreach (var role in new[] { Support, Warehouse, Catalogue, Admin })
        {
            var (order, other) = (await console.OrderAsync(customer, product), await console.OrderAsync(customer, product));
            await using var page = await console.SignInAsync(role);
            foreach (var expected in s_pages)
            {
                var path = expected.Path.Replace("{order}", $"{order}").Replace("{other}", $"{other}").Replace("{product}", $"{product}").Replace("{customer}", $"{customer}")
                    .Replace("{webhook}", $"{webhook}").Replace("{sku}", sku);
                await page.GotoAsync(path);
                var isReader = expected.Readers.Contains(role);
                await Expect(isReader ? page.Locator(expected.Ready).First : page.Locator("main .problem").First).ToBeVisibleAsync();
                foreach (var (name, who) in expected.Controls)
                {
                    var controls = page.Locator("main").GetByRole(AriaRole.Button, new() { Name = name, Exact = true }).Or(page.Locator("main").GetByRole(AriaRole.Link, new() { Name = name, Exact = true }));
                    if (await controls.CountAsync() > 0 != who.Contains(role))
                    {
                        wrong.Add($"{role}, {expected.Path}: {name} is {(who.Contains(role) ? "missing" : "there")}");
                    }
                }

                if (expected.Work is { } work && work.Who.Contains(role))
                {
                    await work.Do(page, shop);
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static async Task TryFileAsync(IPage page, string csv)
    {
        await page.GetByLabel("File").SetInputFilesAsync(new FilePayload { Name = "some.csv", MimeType = "text/csv", Buffer = Encoding.UTF8.GetBytes(csv) });
        await page.GetByRole(AriaRole.Button, new() { Name = "Start dry run" }).ClickAsync();
        await Expect(page.Locator("#outcome")).ToContainTextAsync("Nothing was changed.");
        await Expect(page.Locator("#bad tbody tr")).ToHaveCountAsync(0);
    }

    private static async Task DoAsync(IPage page, string button, string shown, string text)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
        await Expect(page.Locator(shown)).ToHaveTextAsync(text);
    }
}

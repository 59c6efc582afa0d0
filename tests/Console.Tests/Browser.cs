using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Aspire.Hosting.Testing;
using Microsoft.Playwright;
using OrderInventory.TestSupport;

namespace OrderInventory.Console.Tests;

[CollectionDefinition(Name)]
public sealed class ConsoleCollection : ICollectionFixture<ConsoleFixture>
{
    public const string Name = "console";
}

/// <summary>The whole system and one browser, for all tests of the console.</summary>
public sealed class ConsoleFixture : IAsyncLifetime
{
    private AppHostRunner? _runner;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>To stop and start services.</summary>
    public AppHostRunner Runner => _runner!;

    /// <summary>A client of the API, as the administrator.</summary>
    public HttpClient Api { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (BrowserFactAttribute.Chromium is null)
        {
            return;
        }

        _runner = await AppHostRunner.StartAsync(["--Infrastructure:Mail=pickup", "--Console:Dashboard=http://127.0.0.1:18888/"]);
        await _runner.WaitUntilHealthyAsync("gateway");
        await _runner.WaitUntilHealthyAsync("console");
        Api = await _runner.CreateClientAsync();
        _playwright = await Playwright.CreateAsync();
        // Generous, as in the runner: another build on the machine is no reason to fail.
        Assertions.SetDefaultExpectTimeout(20_000);
        // Without smooth scrolling, a test sees where a key press ended, not a position in between.
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = BrowserFactAttribute.Chromium, Args = ["--no-sandbox", "--disable-smooth-scrolling"] });
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        Api?.Dispose();
        if (_runner is not null)
        {
            await _runner.DisposeAsync();
        }
    }

    /// <summary>Signs in on the issuer's page and opens a page of the console.</summary>
    /// <param name="who">One of the demo shop's people.</param>
    /// <param name="path">Below <c>/console/</c>.</param>
    /// <param name="options">The browser's size, language and colours.</param>
    /// <param name="customer">The customer for whom demo-customer acts.</param>
    public async Task<IPage> SignInAsync(string who, string path = "", BrowserNewContextOptions? options = null, Guid? customer = null)
    {
        options ??= new();
        options.Locale ??= "en-GB";
        options.TimezoneId ??= "Europe/Berlin";
        // A numeric address, as in the issuer's own name.
        options.BaseURL = $"http://127.0.0.1:{Api.BaseAddress!.Port}/console/";
        var context = await _browser!.NewContextAsync(options);
        context.SetDefaultTimeout(30_000);
        var page = await context.NewPageAsync();
        await page.GotoAsync(path);
        await EnterAsync(page, who, customer);
        return page;
    }

    /// <summary>Fills in the issuer's sign-in page, which must already be open.</summary>
    public async Task EnterAsync(IPage page, string who, Guid? customer = null)
    {
        await page.GetByLabel("Person").SelectOptionAsync(who);
        await page.GetByLabel("Secret").FillAsync(Runner.SecretOf(who));
        await page.GetByLabel("customer's id").FillAsync(customer?.ToString() ?? "");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.Locator("h1")).Not.ToHaveTextAsync("Sign in");
    }

    public static string NewSku() => "C-" + Guid.CreateVersion7().ToString("N")[20..].ToUpperInvariant();

    /// <summary>A product with stock, and the id of a customer who can order it.</summary>
    public async Task<(Guid Product, string Sku, Guid Customer)> ShopAsync(int stock = 100)
    {
        var sku = NewSku();
        var product = await ProductAsync(sku, stock);
        var customer = (Guid)(await PostAsync("/api/customers", new { name = $"Maria {sku}", email = $"{sku}@example.com" }))["id"]!;
        await Eventually.TrueAsync(
            async () => (await Api.GetFromJsonAsync<JsonNode>($"/api/inventory?q={sku}"))!["items"]!.AsArray().Count == 1, TimeSpan.FromSeconds(30), "Inventory knows the name");
        return (product, sku, customer);
    }

    /// <summary>A product with stock.</summary>
    public async Task<Guid> ProductAsync(string sku, int stock)
    {
        var product = await PostAsync("/api/products", new { sku, name = $"Tea {sku}", category = "tests", price = new { amount = 4.50m, currency = "EUR" } });
        var id = (Guid)product["id"]!;
        (await Api.PutAsJsonAsync($"/api/inventory/{id}", new { onHand = stock, lowStockThreshold = 5 })).EnsureSuccessStatusCode();
        return id;
    }

    /// <summary>A confirmed order.</summary>
    public async Task<Guid> OrderAsync(Guid customer, Guid product, int quantity = 1)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders") { Content = JsonContent.Create(new { customerId = customer, lines = new[] { new { productId = product, quantity } } }) };
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        request.Headers.Add("Prefer", "wait=20");
        using var response = await Api.SendAsync(request);
        var order = (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>())!;
        Assert.Equal("confirmed", (string?)order["status"]);
        return (Guid)order["id"]!;
    }

    /// <summary>Many confirmed orders, some at a time: the service rejects requests that it cannot begin within half a second.</summary>
    public Task OrdersAsync(Guid customer, Guid product, int count) => Parallel.ForEachAsync(
        Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, _) => await OrderAsync(customer, product));

    public async Task<JsonNode> PostAsync(string path, object body)
    {
        using var response = await Api.PostAsJsonAsync(path, body);
        return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>())!;
    }
}

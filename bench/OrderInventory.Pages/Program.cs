using System.Globalization;
using System.Text.Json;
using Microsoft.Playwright;
using OrderInventory.Pages;

// Measures how long a user of the console waits, and how much of its memory an open page takes. bench/console.sh starts the system and fills it.
// Arguments: endpoints.json, the console's process id, the number of measurements, of circuits, of orders and of products.
if (args is not [var file, var process, var runs, var circuits, var orders, var products])
{
    Console.Error.WriteLine("OrderInventory.Pages <endpoints.json> <process id of the console> <runs> <circuits> <orders> <products>");
    return 2;
}

using var endpoints = JsonDocument.Parse(await File.ReadAllTextAsync(file));
var console = endpoints.RootElement.GetProperty("console").GetString()!;
var secret = endpoints.RootElement.GetProperty("clients").GetProperty("demo-admin").GetString()!;
using var playwright = await Playwright.CreateAsync();
await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium", Args = ["--no-sandbox"] });
var visit = await Visit.SignInAsync(browser, console, secret, Number(runs));

Console.WriteLine("| | median, ms | slowest, ms | aim, ms |\n|---|---:|---:|---:|");
await visit.OpenAsync("orders", "#orders");
await visit.OpenAsync("stock", "#stock");
await visit.OpenAsync("catalogue", "#products");
await visit.OpenAsync("customers", "#customers");
await visit.SearchAsync("orders", "#orders", "a tracking number", Each("P{0}", Number(orders)));
await visit.SearchAsync("orders", "#orders", "a customer", "load-customer-0007@", "Load Customer 0042", "load-customer-0077@");
await visit.SearchAsync("orders", "#orders", "a SKU", "LOAD-1000000-0007", "LOAD-1000000-0123", "LOAD-1000000-0456");
await visit.SearchAsync("stock", "#stock", "a SKU", Each("BIG-{0:00000}", Number(products)));
await visit.SearchAsync("stock", "#stock", "words of a name", Each("Tea {0} of", Number(products)));
await visit.SearchAsync("catalogue", "#products", "a SKU", Each("BIG-{0:00000}", Number(products) - 1));
await visit.SearchAsync("catalogue", "#products", "words of a name", Each("Tea {0} of", Number(products) - 1));
await visit.TypeAsync();
await visit.ScrollAsync("orders", "#orders");
Console.WriteLine();
await visit.CountCircuitsAsync(Number(process), Number(circuits));
return 0;

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

// Three from the middle: the newest orders have no tracking number yet.
static string[] Each(string format, int count) =>
    [.. new[] { 50, 40, 60 }.Select(percent => string.Format(CultureInfo.InvariantCulture, format, (int)((long)count * percent / 100)))];

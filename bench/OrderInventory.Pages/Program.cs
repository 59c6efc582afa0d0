using System.Globalization;
using System.Text.Json;
using Microsoft.Playwright;
using OrderInventory.Pages;

// How long somebody at the console waits, and what an open page takes of its memory. bench/console.sh starts the system and fills it.
// Arguments: endpoints.json, the console's process id, how often each is measured, how many circuits.
if (args is not [var file, var process, var runs, var circuits])
{
    Console.Error.WriteLine("OrderInventory.Pages <endpoints.json> <process id of the console> <runs> <circuits>");
    return 2;
}

using var endpoints = JsonDocument.Parse(await File.ReadAllTextAsync(file));
var console = endpoints.RootElement.GetProperty("console").GetString()!;
var secret = endpoints.RootElement.GetProperty("clients").GetProperty("demo-admin").GetString()!;
using var playwright = await Playwright.CreateAsync();
await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium", Args = ["--no-sandbox"] });
var visit = await Visit.SignInAsync(browser, console, secret, int.Parse(runs, CultureInfo.InvariantCulture));

Console.WriteLine("| | median, ms | slowest, ms | aim, ms |\n|---|---:|---:|---:|");
await visit.OpenAsync("orders", "#orders");
await visit.OpenAsync("stock", "#stock");
await visit.OpenAsync("catalogue", "#products");
await visit.OpenAsync("customers", "#customers");
await visit.SearchAsync("orders", "#orders", "a tracking number", "P54321", "P4321", "P77777");
await visit.SearchAsync("orders", "#orders", "a customer", "load-customer-0007@", "Load Customer 0042", "load-customer-0077@");
await visit.SearchAsync("orders", "#orders", "a SKU", "LOAD-1000000-0007", "LOAD-1000000-0123", "LOAD-1000000-0456");
await visit.SearchAsync("stock", "#stock", "a SKU", "BIG-00042", "BIG-12345", "BIG-49999");
await visit.SearchAsync("stock", "#stock", "words of a name", "Tea 777", "Tea 4321", "Tea 31415");
await visit.SearchAsync("catalogue", "#products", "a SKU", "BIG-00043", "BIG-23456", "BIG-40404");
await visit.SearchAsync("catalogue", "#products", "words of a name", "Tea 778", "Tea 4322", "Tea 31416");
await visit.TypeAsync();
await visit.ScrollAsync("orders", "#orders");
Console.WriteLine();
await visit.CountCircuitsAsync(int.Parse(process, CultureInfo.InvariantCulture), int.Parse(circuits, CultureInfo.InvariantCulture));
return 0;

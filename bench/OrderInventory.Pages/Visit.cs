using System.Globalization;
using Microsoft.Playwright;

namespace OrderInventory.Pages;

/// <summary>A user of the console. Each time is measured in the browser, from the user's action to the visible result.</summary>
internal sealed class Visit(IPage page, int runs)
{
    /// <summary>
    /// Performs an action and waits until the page shows its result, that is, until the text found by the selector changes. Returns milliseconds.
    /// </summary>
    private const string Measure = """
        ({ selector, act, text }) => new Promise((resolve, reject) => {
          const read = () => [...document.querySelectorAll(selector)].map(found => found.dataset.id ?? found.textContent).join();
          const before = read();
          const start = performance.now();
          const observer = new MutationObserver(() => {
            if (read() !== before) {
              observer.disconnect();
              resolve(performance.now() - start);
            }
          });
          observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
          setTimeout(() => reject(new Error(`Nothing changed at ${selector} after "${text}".`)), 30000);
          if (act === 'search') {
            const input = document.getElementById('search');
            input.value = text;
            input.dispatchEvent(new Event('change', { bubbles: true }));
            input.form.requestSubmit();
          } else if (act === 'type') {
            const input = document.querySelector('input.units');
            input.value = text;
            input.dispatchEvent(new Event('input', { bubbles: true }));
          } else {
            const list = document.querySelector('.long');
            list.scrollTop = text === 'end' ? list.scrollHeight : 0;
          }
        })
        """;

    public static async Task<Visit> SignInAsync(IBrowser browser, string console, string secret, int runs)
    {
        var context = await browser.NewContextAsync(new() { BaseURL = console, Locale = "en-GB" });
        context.SetDefaultTimeout(60_000);
        var page = await context.NewPageAsync();
        await page.GotoAsync("");
        await page.GetByLabel("Person").SelectOptionAsync("demo-admin");
        await page.GetByLabel("Secret").FillAsync(secret);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await page.Locator("main h1").WaitForAsync();
        return new(page, runs);
    }

    /// <summary>From the navigation to the first row.</summary>
    public async Task OpenAsync(string path, string table)
    {
        var times = new List<double>();
        for (var run = 0; run <= runs; run++)
        {
            await page.GotoAsync(path, new() { WaitUntil = WaitUntilState.Commit });
            await page.Locator($"{table} tr[data-id]").First.WaitForAsync();
            // performance.now() counts from the beginning of the navigation.
            times.Add(await page.EvaluateAsync<double>("performance.now()"));
        }

        Write($"{path}: first rows", times[1..], 1000);
    }

    /// <summary>From Enter to the rows.</summary>
    public async Task SearchAsync(string path, string table, string what, params string[] texts)
    {
        await page.GotoAsync(path);
        await page.Locator($"{table} tr[data-id]").First.WaitForAsync();
        var times = new List<double>();
        for (var run = 0; run < runs; run++)
        {
            times.Add(await ActAsync($"{table} tr[data-id]", "search", texts[run % texts.Length]));
        }

        Write($"{path}: search for {what}", times, 500);
    }

    /// <summary>From a key press in a stock cell to the update of the button that counts the changes.</summary>
    public async Task TypeAsync()
    {
        await page.GotoAsync("stock");
        await page.Locator("input.units").First.WaitForAsync();
        var before = await page.Locator("input.units").First.InputValueAsync();
        var times = new List<double>();
        for (var run = 0; run < runs; run++)
        {
            times.Add(await ActAsync("main .filters button", "type", run % 2 == 0 ? "123456" : before));
        }

        Write("stock: a key in a cell", times, 100);
    }

    /// <summary>Repeatedly scrolls to the end of the loaded rows and waits until the next rows are drawn.</summary>
    public async Task ScrollAsync(string path, string table)
    {
        await page.GotoAsync(path);
        await page.Locator($"{table} tr[data-id]").First.WaitForAsync();
        var times = new List<double>();
        for (var run = 0; run < runs; run++)
        {
            times.Add(await ActAsync($"{table} tr[data-id]", "scroll", "end"));
        }

        Write($"{path}: the next rows while scrolling", times, null);
        await page.Locator($"{table} tr[data-id]").First.WaitForAsync();
        var rows = await page.Locator($"{table} tr[data-id]").CountAsync();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {path}: rows in the page after that: {rows} | | | |"));
    }

    /// <summary>The memory of each open list of orders, from the difference between a tenth of the circuits and all of them.</summary>
    public async Task CountCircuitsAsync(int process, int circuits)
    {
        var few = circuits / 10;
        await OpenMoreAsync(few);
        var (heapBefore, residentBefore) = ConsoleMemory.Read(process);
        await OpenMoreAsync(circuits - few);
        var (heap, resident) = ConsoleMemory.Read(process);
        Console.WriteLine("| memory of the console | managed, KB | resident, KB |\n|---|---:|---:|");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {few} circuits | {heapBefore / 1024} | {residentBefore / 1024} |"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {circuits} circuits | {heap / 1024} | {resident / 1024} |"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"| each circuit (aim: below 300) | {(heap - heapBefore) / 1024 / (circuits - few)} | {(resident - residentBefore) / 1024 / (circuits - few)} |"));
    }

    private async Task OpenMoreAsync(int count)
    {
        for (var number = 0; number < count; number++)
        {
            var other = await page.Context.NewPageAsync();
            await other.GotoAsync("orders");
            await other.Locator("#orders tr[data-id]").First.WaitForAsync();
        }
    }

    private Task<double> ActAsync(string selector, string act, string text) => page.EvaluateAsync<double>(Measure, new { selector, act, text });

    private static void Write(string what, List<double> times, int? aim)
    {
        times.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {times[times.Count / 2]:F0} | {times[^1]:F0} | {aim} |"));
    }
}

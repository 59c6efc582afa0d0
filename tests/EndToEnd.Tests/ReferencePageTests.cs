using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using OrderInventory.AppHost;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>The reference page in a browser: a person signs in by authorization code with PKCE, and tries a call. Skipped without Chromium.</summary>
[Collection(SystemCollection.Name)]
[Trait("Category", "Browser")]
public sealed class ReferencePageTests(SystemFixture system)
{
    [BrowserFact]
    public async Task A_person_signs_in_and_tries_a_call()
    {
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = BrowserFactAttribute.Chromium, Args = ["--no-sandbox"] });
        var context = await browser.NewContextAsync(new() { ViewportSize = new() { Width = 1400, Height = 1000 } });
        context.SetDefaultTimeout(60_000);
        // The page is self-contained: a request to another host is an error.
        var elsewhere = new List<string>();
        var gateway = new Uri($"http://127.0.0.1:{system.Gateway.BaseAddress!.Port}");
        context.Request += (_, request) =>
        {
            if (new Uri(request.Url) is { Scheme: "http" or "https" } url && url.Authority != gateway.Authority)
            {
                elsewhere.Add(request.Url);
            }
        };
        var page = await context.NewPageAsync();
        var problems = new List<string>();
        page.PageError += (_, error) => problems.Add(error);
        page.Console += (_, line) =>
        {
            if (line.Type == "error")
            {
                problems.Add(line.Text);
            }
        };

        await page.GotoAsync($"{gateway}");
        var popup = await page.RunAndWaitForPopupAsync(() => page.GetByRole(AriaRole.Button, new() { Name = "Authorize", Exact = true }).First.ClickAsync());
        var closed = new TaskCompletionSource();
        popup.Close += (_, _) => closed.TrySetResult();
        await popup.GetByLabel("Person").SelectOptionAsync("demo-catalog");
        await popup.GetByLabel("Secret").FillAsync(system.Runner.App.Services.GetRequiredService<DevelopmentIssuer>().Clients["demo-catalog"]);
        await popup.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await closed.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await page.GetByRole(AriaRole.Button, new() { Name = "Clear tokens" }).First.WaitForAsync();

        // The role of the person decides: a catalogue manager may not read orders.
        await page.GetByText("List orders, newest first").First.ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Test Request (get /api/orders)", Exact = true }).Last.ClickAsync();
        var answer = await page.RunAndWaitForResponseAsync(
            () => page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Send") }).First.ClickAsync(), response => new Uri(response.Url).AbsolutePath == "/api/orders");

        Assert.Equal(403, answer.Status);
        Assert.Equal("/problems/not-permitted", (string?)JsonNode.Parse(await answer.TextAsync())!["type"]);
        Assert.Empty(elsewhere);
        // The browser itself logs a response that is not a success.
        Assert.DoesNotContain(problems, problem => !problem.Contains("403", StringComparison.Ordinal));
    }
}

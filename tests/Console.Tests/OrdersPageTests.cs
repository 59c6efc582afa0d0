using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>The list of orders, one order, and its revision.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class OrdersPageTests(ConsoleFixture console)
{
    [BrowserFact]
    public async Task An_order_appears_and_changes_in_an_open_list_and_is_shipped_from_it()
    {
        var (product, sku, customer) = await console.ShopAsync();
        await using var page = await console.SignInAsync("demo-admin", $"orders?q={sku}");
        await Expect(page.Locator(".live")).ToHaveTextAsync("live");
        await Expect(page.GetByText("Nothing found.")).ToBeVisibleAsync();

        var order = await console.OrderAsync(customer, product, 2);

        var row = page.Locator($"tr[data-id='{order}']");
        await Expect(row).ToContainTextAsync("confirmed");
        await Expect(row).ToContainTextAsync("9.00 EUR");
        await row.GetByRole(AriaRole.Checkbox).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Ship selected" }).ClickAsync();
        await Expect(row.Locator(".status")).ToHaveTextAsync("shipped");
        await Expect(row.Locator(".result")).ToHaveTextAsync("done");
    }

    [BrowserFact]
    public async Task A_long_list_renders_only_the_view_and_does_not_move_while_it_changes()
    {
        const int Many = 110;
        var (product, sku, customer) = await console.ShopAsync(stock: 200);
        await console.OrdersAsync(customer, product, Many);
        await using var page = await console.SignInAsync("demo-warehouse", $"orders?q={sku}", new() { ViewportSize = new() { Width = 1280, Height = 1150 } });
        var rows = page.Locator("#orders tbody tr[data-id]");
        var place = page.GetByRole(AriaRole.Region, new() { Name = "Orders" });
        await Expect(page.GetByText("50 loaded, more available")).ToBeVisibleAsync();
        await Expect(page.Locator("#orders")).ToHaveAttributeAsync("aria-rowcount", "-1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Load more" }).ClickAsync();
        await Expect(page.GetByText("100 loaded, more available")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Load more" }).ClickAsync();
        await Expect(page.GetByText($"{Many} loaded, end of list")).ToBeVisibleAsync();
        await Expect(page.Locator("#orders")).ToHaveAttributeAsync("aria-rowcount", $"{Many + 1}");
        // The placeholder of a row that has not been read yet has no id.
        var last = page.Locator($"#orders tr[data-id][aria-rowindex='{Many + 1}']");
        await place.FocusAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                // End goes to the end of the rows rendered so far; rows rendered later are below it, so the key is pressed again.
                await page.Keyboard.PressAsync("End");
                return await place.EvaluateAsync<bool>(
                    """
                    (region, row) => region.scrollTop + region.clientHeight >= region.scrollHeight - 1
                        && region.querySelector(`tr[data-id][aria-rowindex='${row}']`)?.getBoundingClientRect().bottom <= region.getBoundingClientRect().bottom + 1
                    """,
                    Many + 1);
            },
            TimeSpan.FromSeconds(20), "the last row is in view");
        await Expect(last).ToBeInViewportAsync();
        Assert.InRange(await rows.CountAsync(), 10, Many - 10);

        // A new order comes before all of them, and one in view changes: the view does not move.
        var oldest = await last.GetAttributeAsync("data-id");
        await last.GetByRole(AriaRole.Checkbox).CheckAsync();
        var top = await place.EvaluateAsync<double>("region => region.scrollTop");
        var newest = await console.OrderAsync(customer, product);
        var next = await page.Locator($"#orders tr[data-id][aria-rowindex='{Many}']").GetAttributeAsync("data-id");
        (await console.Api.PostAsJsonAsync($"/api/orders/{next}/ship", new { })).EnsureSuccessStatusCode();
        await Expect(page.Locator($"tr[data-id='{next}'] .status")).ToHaveTextAsync("shipped");
        await Expect(last).ToHaveAttributeAsync("data-id", oldest!);
        await Expect(last).ToBeInViewportAsync();
        Assert.Equal(top, await place.EvaluateAsync<double>("region => region.scrollTop"));

        // A selected order is shipped even when it is out of view.
        await place.FocusAsync();
        await page.Keyboard.PressAsync("Home");
        await Expect(page.Locator("#orders tr[aria-rowindex='2']")).ToHaveAttributeAsync("data-id", newest.ToString());
        await Expect(page.Locator($"tr[data-id='{oldest}']")).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Ship selected (1)" }).ClickAsync();
        await Eventually.TrueAsync(
            async () => (string?)(await console.Api.GetFromJsonAsync<JsonNode>($"/api/orders/{oldest}"))!["status"] == "shipped", TimeSpan.FromSeconds(30), "the order out of view is shipped");
        // Pressing the button again would send the order again with a version that is out of date.
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Ship selected (0)" })).ToBeDisabledAsync();
    }

    [BrowserFact]
    public async Task New_orders_do_not_move_the_view_and_appear_at_the_beginning()
    {
        const int Many = 70;
        var (product, sku, customer) = await console.ShopAsync();
        await console.OrdersAsync(customer, product, Many);
        await using var page = await console.SignInAsync("demo-warehouse", $"orders?q={sku}");
        await Expect(page.GetByText("50 loaded, more available")).ToBeVisibleAsync();
        var place = page.GetByRole(AriaRole.Region, new() { Name = "Orders" });
        await place.EvaluateAsync("region => { region.scrollTop = 15.5 * region.querySelector('tbody tr[data-id]').offsetHeight; }");
        var row = page.Locator("#orders tr[data-id][aria-rowindex='20']");
        await Expect(row).ToBeInViewportAsync();
        var (read, top) = (await row.GetAttributeAsync("data-id"), (await row.BoundingBoxAsync())!.Y);

        // An order in view is read again when it changes; here it changes after the new orders have arrived.
        await console.OrdersAsync(customer, product, 3);
        (await console.Api.PostAsJsonAsync($"/api/orders/{read}/ship", new { })).EnsureSuccessStatusCode();

        await Expect(row.Locator(".status")).ToHaveTextAsync("shipped");
        await Expect(row).ToHaveAttributeAsync("data-id", read!);
        Assert.Equal(top, (await row.BoundingBoxAsync())!.Y, tolerance: 1);
        await place.EvaluateAsync("region => { region.scrollTop = 0; }");
        await Expect(page.Locator($"tr[data-id='{read}']")).ToHaveAttributeAsync("aria-rowindex", "23");
    }

    [BrowserFact]
    public async Task Two_people_with_the_same_order_see_each_others_changes()
    {
        var (product, _, customer) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product);
        await using var page = await console.SignInAsync("demo-admin", $"orders/{order}");
        await Expect(page.Locator("#status")).ToHaveTextAsync("confirmed");
        (await console.Api.PostAsJsonAsync($"/api/orders/{order}/ship", new { carrier = "UPS", trackingNumber = "1Z" })).EnsureSuccessStatusCode();
        await Expect(page.Locator("#status")).ToHaveTextAsync("shipped");
        await Expect(page.Locator(".timeline")).ToContainTextAsync("UPS");
        await Expect(page.Locator(".timeline a").First).ToHaveAttributeAsync("href", new Regex("^http://127.0.0.1:18888/traces/detail/[0-9a-f]{32}$"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Mark as delivered" }).ClickAsync();
        await Expect(page.Locator("#status")).ToHaveTextAsync("delivered");
    }

    [BrowserFact]
    public async Task Support_revises_an_order_after_seeing_price_and_stock()
    {
        var (product, sku, customer) = await console.ShopAsync(stock: 5);
        var (_, other, _) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product, 2);
        await using var page = await console.SignInAsync("demo-support", $"orders/{order}");
        await page.GetByRole(AriaRole.Link, new() { Name = "Revise order" }).ClickAsync();
        // Without a SKU, the button adds nothing.
        await page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await page.GetByLabel("Add a product by SKU").FillAsync(" ");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Expect(page.Locator(".problem")).ToContainTextAsync("The product does not exist.");
        await page.GetByLabel($"Quantity {sku}").FillAsync("6");
        await page.GetByLabel("Add a product by SKU").FillAsync(other);
        await page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Expect(page.Locator("#total")).ToHaveTextAsync("31.50 EUR");
        // The order's own reservation counts: 5 units are available to it, not 3.
        await Expect(page.Locator("#lines tbody tr").First).ToContainTextAsync("5 (not enough)");

        await page.GetByRole(AriaRole.Button, new() { Name = "Request these lines" }).ClickAsync();
        await Expect(page.Locator(".problem")).ToContainTextAsync("stock");

        await page.GetByLabel($"Quantity {sku}").FillAsync("5");
        await page.GetByRole(AriaRole.Button, new() { Name = "Request these lines" }).ClickAsync();
        await Expect(page.Locator("#status")).ToHaveTextAsync("confirmed");
        await Expect(page.Locator("tfoot")).ToContainTextAsync("27.00 EUR");
    }

    [BrowserFact]
    public async Task Two_people_revise_one_order_and_the_second_sees_the_conflict_and_continues()
    {
        var (product, sku, customer) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product, 2);
        await using var page = await console.SignInAsync("demo-support", $"orders/{order}/revise");
        await page.GetByLabel($"Quantity {sku}").FillAsync("3");
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.Locator("#total")).ToHaveTextAsync("13.50 EUR");
        await ReviseAsync(order, product, 7);
        await page.GetByRole(AriaRole.Button, new() { Name = "Request these lines" }).ClickAsync();

        var conflict = page.Locator("section.problem");
        await Expect(conflict.Locator("tr", new() { HasText = sku })).ToHaveTextAsync(new Regex($@"^\s*{sku}\s*3\s*7\s*$"));
        await Expect(conflict.Locator("tr", new() { HasText = "Changed by" })).ToContainTextAsync("demo-admin");
        await Expect(conflict.Locator("tr", new() { HasText = "Total" })).ToContainTextAsync("31.50 EUR");
        await conflict.GetByRole(AriaRole.Button, new() { Name = "Continue with my changes" }).ClickAsync();
        await Expect(conflict).ToHaveCountAsync(0);
        await ReviseAsync(order, product, 8);
        // Once more: the other person was quicker again, and now their version is taken.
        await page.GetByRole(AriaRole.Button, new() { Name = "Request these lines" }).ClickAsync();
        await conflict.GetByRole(AriaRole.Button, new() { Name = "Use the current version" }).ClickAsync();
        await Expect(page.GetByLabel($"Quantity {sku}")).ToHaveValueAsync("8");
        await page.GetByLabel($"Quantity {sku}").FillAsync("4");
        await page.GetByRole(AriaRole.Button, new() { Name = "Request these lines" }).ClickAsync();
        await Expect(page.Locator("#status")).ToHaveTextAsync("confirmed");
        await Expect(page.Locator("tfoot")).ToContainTextAsync("18.00 EUR");
    }

    /// <summary>Changes the order as the administrator and waits until Inventory has confirmed the change.</summary>
    private async Task ReviseAsync(Guid order, Guid product, int quantity)
    {
        var before = await console.Api.GetAsync($"/api/orders/{order}");
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/orders/{order}/lines") { Content = JsonContent.Create(new { lines = new[] { new { productId = product, quantity } } }) };
        request.Headers.Add("If-Match", before.Headers.ETag!.ToString());
        (await console.Api.SendAsync(request)).EnsureSuccessStatusCode();
        await Eventually.TrueAsync(
            async () => await console.Api.GetFromJsonAsync<JsonNode>($"/api/orders/{order}") is { } now && (string?)now["status"] == "confirmed" && (int)now["lines"]![0]!["quantity"]! == quantity,
            TimeSpan.FromSeconds(30), "the revision is confirmed");
    }

    [BrowserFact]
    public async Task The_list_is_exported_with_its_filters_and_a_search_is_saved_as_a_view()
    {
        var (product, sku, customer) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product, 3);
        await using var page = await console.SignInAsync("demo-warehouse", $"orders?q={sku}");
        await Expect(page.Locator("#orders tbody tr[data-id]")).ToHaveCountAsync(1);
        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "Export results" }).ClickAsync());
        var lines = await File.ReadAllLinesAsync(await download.PathAsync());
        Assert.Equal(2, lines.Length);
        Assert.StartsWith($"{order},", lines[1], StringComparison.Ordinal);
        Assert.Contains($"3 x {sku}", lines[1], StringComparison.Ordinal);

        await page.GetByText("Saved views").ClickAsync();
        await page.GetByLabel("Name of this view").FillAsync("tea");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save this view" }).ClickAsync();
        // Not WaitForFunction: after its first check it uses eval, which the page's policy forbids.
        await Eventually.TrueAsync(() => page.EvaluateAsync<bool>("localStorage.getItem('console.views.orders') !== null"), TimeSpan.FromSeconds(30), "the view is saved");
        await page.GotoAsync("orders");
        await page.GetByText("Saved views").ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "tea" }).ClickAsync();
        await Expect(page.Locator("#search")).ToHaveValueAsync(sku);
    }

    [BrowserFact]
    public async Task Two_clicks_record_one_return_and_an_empty_form_records_none()
    {
        var (order, _, _) = await ShippedAsync(quantity: 3);
        await using var page = await console.SignInAsync("demo-warehouse", $"orders/{order}");
        await page.Locator("fieldset input[type=number]").FillAsync("1");
        var record = page.GetByRole(AriaRole.Button, new() { Name = "Record the return" });
        // The focus moves to the button by the click that presses it.
        await record.EvaluateAsync("button => { button.focus(); button.click(); button.click(); }");
        await Expect(page.Locator("[role=status]").GetByText("done")).ToBeVisibleAsync();
        await Expect(page.Locator("fieldset input[type=number]")).ToHaveValueAsync("0");
        await record.ClickAsync();
        await Expect(page.Locator(".problem")).ToContainTextAsync("Enter how many units came back.");
        Assert.Single((await console.Api.GetFromJsonAsync<JsonNode>($"/api/orders/{order}"))!["returns"]!.AsArray());
    }

    [BrowserFact]
    public async Task The_refusal_of_an_action_stays_when_the_order_changes()
    {
        var (order, _, _) = await ShippedAsync(quantity: 3);
        await using var page = await console.SignInAsync("demo-warehouse", $"orders/{order}");
        await page.Locator("fieldset input[type=number]").FillAsync("4");
        await page.GetByRole(AriaRole.Button, new() { Name = "Record the return" }).ClickAsync();
        var problem = page.Locator(".problem");
        await Expect(problem).ToContainTextAsync("The return exceeds what was shipped.");
        (await console.Api.PostAsJsonAsync($"/api/orders/{order}/deliver", new { })).EnsureSuccessStatusCode();
        await Expect(page.Locator("#status")).ToHaveTextAsync("delivered");
        await Expect(problem).ToContainTextAsync("The return exceeds what was shipped.");
        await page.Locator("fieldset input[type=number]").FillAsync("3");
        await page.GetByRole(AriaRole.Button, new() { Name = "Record the return" }).ClickAsync();
        await Expect(problem).ToHaveCountAsync(0);
    }

    [BrowserFact]
    public async Task Nothing_of_one_order_is_shown_for_another_and_unsaved_input_is_not_left_unasked()
    {
        var (product, _, customer) = await console.ShopAsync();
        var (order, other) = (await console.OrderAsync(customer, product), Guid.CreateVersion7());
        await using var page = await console.SignInAsync("demo-warehouse", $"orders/{order}");
        var (questions, isLeaving) = (new List<string>(), false);
        page.Dialog += (_, dialog) =>
        {
            questions.Add(dialog.Type);
            _ = isLeaving ? dialog.AcceptAsync() : dialog.DismissAsync();
        };
        await page.GetByLabel("Tracking number").FillAsync("1Z");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("s");
        await Eventually.TrueAsync(() => Task.FromResult(questions.Count == 1), TimeSpan.FromSeconds(30), "the page asks");
        await Expect(page.GetByLabel("Tracking number")).ToHaveValueAsync("1Z");

        // There is no such order, so that nothing of it can be shown.
        isLeaving = true;
        await page.EvaluateAsync($"window.Blazor.navigateTo('orders/{other}')");
        await Expect(page.Locator("h1")).ToContainTextAsync(other.ToString());
        await Expect(page.Locator(".problem")).ToBeVisibleAsync();
        await Expect(page.Locator("#status")).ToHaveCountAsync(0);
        await page.GoBackAsync();
        await Expect(page.GetByLabel("Tracking number")).ToHaveValueAsync("");

        await page.GetByLabel("Tracking number").FillAsync("1Z");
        await page.Keyboard.PressAsync("Tab");
        await Eventually.TrueAsync(
            () => page.EvaluateAsync<bool>("() => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"), TimeSpan.FromSeconds(30), "the browser has the listener");
        await page.ReloadAsync();
        Assert.Equal([DialogType.Confirm, DialogType.Confirm, DialogType.BeforeUnload], questions);
    }

    [BrowserFact]
    public async Task Names_written_from_right_to_left_stay_next_to_their_quantities()
    {
        var (product, _, customer) = await console.ShopAsync();
        var lines = new List<object> { new { productId = product, quantity = 1 } };
        foreach (var (name, quantity) in new[] { ("\u0634\u0627\u064a", 3), ("\u05ea\u05d4", 12) })
        {
            var made = await console.PostAsync("/api/products", new { sku = ConsoleFixture.NewSku(), name, price = new { amount = 4.50m, currency = "EUR" } });
            (await console.Api.PutAsJsonAsync($"/api/inventory/{made["id"]}", new { onHand = 100 })).EnsureSuccessStatusCode();
            lines.Add(new { productId = (Guid)made["id"]!, quantity });
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders") { Content = JsonContent.Create(new { customerId = customer, lines }) };
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        using var response = await console.Api.SendAsync(request);
        var order = (Guid)(await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
        await using var page = await console.SignInAsync("demo-admin", $"orders?q={order}");
        // The horizontal places of both quantities and both names.
        var places = await page.Locator($"#orders tr[data-id='{order}'] td", new() { HasText = "\u05ea\u05d4" }).EvaluateAsync<double[]>(
            """
            cell => {
              const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
              const find = text => {
                for (walker.currentNode = cell; walker.nextNode();) {
                  const at = walker.currentNode.data.indexOf(text);
                  if (at >= 0) {
                    const range = document.createRange();
                    range.setStart(walker.currentNode, at);
                    range.setEnd(walker.currentNode, at + text.length);
                    return range.getBoundingClientRect().left;
                  }
                }
              };
              return [find('3 ×'), find('\u0634\u0627\u064a'), find('12 ×'), find('\u05ea\u05d4')];
            }
            """);
        Assert.Equal(places.Order(), places);
    }

    [BrowserFact]
    public async Task Two_tabs_save_views_without_losing_each_others()
    {
        await using var page = await console.SignInAsync("demo-warehouse", "orders?q=one");
        var other = await page.Context.NewPageAsync();
        await other.GotoAsync("orders?q=two");
        await other.GetByText("Saved views (0)").ClickAsync();
        foreach (var (tab, name) in new[] { (page, "one"), (other, "two") })
        {
            await tab.Locator(".views").EvaluateAsync("views => { views.open = true; }");
            await tab.GetByLabel("Name of this view").FillAsync(name);
            await tab.GetByRole(AriaRole.Button, new() { Name = "Save this view" }).ClickAsync();
            await Expect(tab.GetByRole(AriaRole.Link, new() { Name = name })).ToBeVisibleAsync();
        }

        await Expect(other.GetByText("Saved views (2)")).ToBeVisibleAsync();
        await Expect(other.GetByRole(AriaRole.Link, new() { Name = "one" })).ToHaveAttributeAsync("href", "orders?q=one");
    }

    /// <summary>A shipped order.</summary>
    private async Task<(Guid Order, Guid Product, Guid Customer)> ShippedAsync(int quantity)
    {
        var (product, _, customer) = await console.ShopAsync();
        var order = await console.OrderAsync(customer, product, quantity);
        (await console.Api.PostAsJsonAsync($"/api/orders/{order}/ship", new { })).EnsureSuccessStatusCode();
        return (order, product, customer);
    }
}

using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Npgsql;
using OrderInventory.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace OrderInventory.Console.Tests;

/// <summary>Events that a service has set aside.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class DeadLettersPageTests(ConsoleFixture console)
{
    [BrowserFact]
    public async Task A_dead_letter_is_read_and_replayed_and_another_is_discarded_after_a_confirmation()
    {
        var (product, sku, _) = await console.ShopAsync();
        // An event about the product that Inventory's database did not accept, and a payload that is no event at all.
        await WriteDeadLetterAsync(sku, $$"""{"productId": "{{product}}", "version": 99, "sku": "{{sku}}", "name": "Renamed {{sku}}", "price": {"amount": 4.50, "currency": "EUR"}, "status": "active"}""", $"timeout {sku}", 1_000_001);
        await WriteDeadLetterAsync(sku, $"<b>{sku}</b>", $"no JSON {sku}", 1_000_002);
        await using (var support = await console.SignInAsync("demo-support", $"messages/dead-letters?service=inventory&reason={sku}"))
        {
            await Expect(support.Locator("#dead-letters tbody tr[data-id]")).ToHaveCountAsync(2);
            await support.GetByRole(AriaRole.Button, new() { Name = "Show" }).First.ClickAsync();
            await Expect(support.Locator("#payload")).ToBeVisibleAsync();
            await Expect(support.GetByRole(AriaRole.Button, new() { Name = "Replay" })).ToHaveCountAsync(0);
            await Expect(support.GetByRole(AriaRole.Button, new() { Name = "Discard" })).ToHaveCountAsync(0);
        }

        await using var page = await console.SignInAsync("demo-admin", $"messages/dead-letters?service=inventory&reason={sku}");
        var letters = page.Locator("#dead-letters tbody tr[data-id]");
        await letters.Filter(new() { HasText = "timeout" }).GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        var opened = page.GetByRole(AriaRole.Region, new() { Name = "Dead letter", Exact = true });
        await Expect(opened).ToBeFocusedAsync();
        await Expect(opened).ToContainTextAsync($"timeout {sku}");
        await Expect(page.Locator("#payload")).ToContainTextAsync($"Renamed {sku}");
        await opened.GetByRole(AriaRole.Button, new() { Name = "Replay" }).ClickAsync();
        await Expect(page.GetByText("1 handled, 0 failed again")).ToBeVisibleAsync();
        await Expect(letters).ToHaveCountAsync(1);
        Assert.Equal($"Renamed {sku}", (string?)(await console.Api.GetFromJsonAsync<JsonNode>($"/api/inventory?productIds={product}"))!["items"]![0]!["product"]!["name"]);

        // A letter that fails again stays, with one more attempt.
        await letters.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        await Expect(page.Locator("#payload")).ToHaveTextAsync($"<b>{sku}</b>");
        await opened.GetByRole(AriaRole.Button, new() { Name = "Replay" }).ClickAsync();
        await Expect(page.GetByText("0 handled, 1 failed again")).ToBeVisibleAsync();
        await page.GotoAsync("messages/dead-letters?service=inventory");
        var stays = letters.Filter(new() { Has = page.GetByRole(AriaRole.Button, new() { Name = $"Show product.updated.v1 {sku}" }) });
        await stays.GetByRole(AriaRole.Button).ClickAsync();
        await opened.GetByRole(AriaRole.Button, new() { Name = "Discard" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Cancel" })).ToBeFocusedAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Discard permanently" }).ClickAsync();
        await Expect(page.GetByText("1 discarded")).ToBeVisibleAsync();
        await Expect(stays).ToHaveCountAsync(0);
    }

    /// <summary>Writes a dead letter as Inventory's consumer does.</summary>
    private async Task WriteDeadLetterAsync(string key, string payload, string reason, long offset)
    {
        await using var database = NpgsqlDataSource.Create(await console.Runner.ConnectionStringAsync("inventorydb"));
        var id = Guid.CreateVersion7();
        await using var command = database.CreateCommand(
            """
            INSERT INTO dead_letters (id, topic, partition, "offset", key, event_id, event_type, reason, attempts, created_at, headers, payload)
            VALUES ($1, $2, 0, $7, $3, $1, $4, $5, 3, now(), json_build_object('ce_specversion', '1.0', 'ce_id', $1::text, 'ce_type', $4::text), convert_to($6, 'UTF8'))
            """);
        foreach (var value in new object[] { id, "product.updated", key, "product.updated.v1", reason, payload, offset })
        {
            command.Parameters.Add(new() { Value = value });
        }

        await command.ExecuteNonQueryAsync();
    }
}

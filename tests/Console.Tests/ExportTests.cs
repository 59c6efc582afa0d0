using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Console.Tests;

/// <summary>Lists as files.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class ExportTests(ConsoleFixture console)
{
    private static readonly byte[] s_byteOrderMark = [0xEF, 0xBB, 0xBF];

    [BrowserFact]
    public async Task An_export_has_the_orders_of_all_pages_of_the_list()
    {
        const int Many = 101;
        var (product, sku, customer) = await console.ShopAsync(stock: 200);
        await console.OrdersAsync(customer, product, Many);
        await using var page = await console.SignInAsync("demo-support", "orders");

        var file = await (await page.Context.APIRequest.GetAsync($"export/orders?q={sku}")).BodyAsync();

        Assert.Equal(s_byteOrderMark, file[..3]);
        var lines = Encoding.UTF8.GetString(file[3..]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("id,placedAt,status,", lines[0], StringComparison.Ordinal);
        Assert.Equal(Many, lines[1..].Select(line => line.Split(',')[0]).Distinct().Count());
        Assert.Equal(Many + 1, lines.Length);
    }

    [BrowserFact]
    public async Task An_exported_file_is_UTF_8_for_a_spreadsheet_and_its_import_changes_nothing()
    {
        var (_, sku, _) = await console.ShopAsync();
        await using var page = await console.SignInAsync("demo-admin");
        foreach (var (export, import) in new[] { ("products", "products"), ("stock", "inventory") })
        {
            var file = await (await page.Context.APIRequest.GetAsync($"export/{export}?q={sku}")).BodyAsync();
            Assert.Equal(s_byteOrderMark, file[..3]);

            using var content = new ByteArrayContent(file) { Headers = { ContentType = new MediaTypeHeaderValue("text/csv") } };
            using var answer = await console.Api.PostAsync($"/api/{import}/import?dryRun=true", content);
            var end = JsonNode.Parse((await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1])!;
            Assert.Equal((1, 1), ((int)end["processed"]!, (int)end["unchanged"]!));
        }
    }

    [BrowserFact]
    public async Task Without_a_session_an_export_is_refused_instead_of_a_sign_in_page_that_would_be_saved()
    {
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = console.Api.BaseAddress };
        foreach (var export in new[] { "orders", "stock", "products" })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync($"/console/export/{export}")).StatusCode);
        }

        Assert.Equal(HttpStatusCode.Redirect, (await http.GetAsync("/console/orders")).StatusCode);
    }
}

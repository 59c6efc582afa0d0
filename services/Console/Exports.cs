using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using OrderInventory.Console.Access;
using OrderInventory.Console.Api;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Console;

/// <summary>
/// Lists as files, with the filters of the list. A browser downloads them with its cookie; the API is called with the person's token. They begin with
/// a byte order mark, without which spreadsheets do not read UTF-8; the import accepts it.
/// </summary>
internal static class Exports
{
    public const string Path = "/export";

    /// <summary>The file is for people to read; programs that need more orders call the API.</summary>
    private const int MaxOrders = 10_000;

    private static readonly string[] s_orderColumns = ["id", "placedAt", "status", "customerId", "lines", "total", "currency", "carrier", "trackingNumber"];

    public static void MapExports(this WebApplication app)
    {
        var exports = app.MapGroup(Path).For(Policies.UseConsole);
        // In the format that the import accepts.
        exports.MapGet("/products", (HttpContext http, IHttpClientFactory clients, Sessions sessions) => ForwardAsync("/api/products/export", http, clients, sessions));
        exports.MapGet("/stock", (HttpContext http, IHttpClientFactory clients, Sessions sessions) => ForwardAsync("/api/inventory/export", http, clients, sessions));
        exports.MapGet("/orders", WriteOrdersAsync);
    }

    private static async Task ForwardAsync(string path, HttpContext http, IHttpClientFactory clients, Sessions sessions)
    {
        using var response = await GetAsync(path + http.Request.QueryString, http, clients, sessions);
        http.Response.StatusCode = (int)response.StatusCode;
        http.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        if (response.IsSuccessStatusCode)
        {
            await http.Response.WriteAsync(Csv.ByteOrderMark, http.RequestAborted);
        }

        await response.Content.CopyToAsync(http.Response.Body, http.RequestAborted);
    }

    private static async Task WriteOrdersAsync(HttpContext http, IHttpClientFactory clients, Sessions sessions)
    {
        string? next = null;
        var written = 0;
        do
        {
            var query = http.Request.Query.Where(part => part.Key is "q" or "status" or "location" or "sort").Select(part => (part.Key, (string?)part.Value.ToString()));
            using var response = await GetAsync(Address.Of("/api/orders", [.. query, ("limit", "100"), ("cursor", next)]), http, clients, sessions);
            if (!response.IsSuccessStatusCode)
            {
                if (http.Response.HasStarted)
                {
                    // An incomplete file must not look complete.
                    http.Abort();
                }
                else
                {
                    http.Response.StatusCode = (int)response.StatusCode;
                }

                return;
            }

            var page = (await response.Content.ReadFromJsonAsync<ItemPage<Order>>(JsonSerializerOptions.Web, http.RequestAborted))!;
            if (!http.Response.HasStarted)
            {
                http.Response.ContentType = "text/csv; charset=utf-8";
                await http.Response.WriteAsync(Csv.ByteOrderMark, http.RequestAborted);
            }

            await http.Response.WriteAsync(Csv.Of(
                next is null ? s_orderColumns : null,
                page.Items.Select(order => new[]
                {
                    order.Id.ToString(), order.PlacedAt.ToString("O", CultureInfo.InvariantCulture), order.Status, order.CustomerId.ToString(),
                    string.Join("; ", order.Lines.Select(line => $"{line.Quantity} x {line.Sku}")), order.Total.Amount.ToString(CultureInfo.InvariantCulture),
                    order.Total.Currency, order.Carrier, order.TrackingNumber,
                })), http.RequestAborted);
            written += page.Items.Count;
            next = page.Next;
        }
        while (next is not null && written < MaxOrders);

        if (next is not null)
        {
            await http.Response.WriteAsync(Csv.Of(null, [[string.Create(CultureInfo.InvariantCulture, $"Only the first {written} orders are exported. Narrow the search to get the others.")]]), http.RequestAborted);
        }
    }

    private static async Task<HttpResponseMessage> GetAsync(string path, HttpContext http, IHttpClientFactory clients, Sessions sessions)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await sessions.TokenOfAsync(http.User));
        request.Headers.Accept.ParseAdd("text/csv, application/json;q=0.9");
        return await clients.CreateClient(ShopApi.Client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, http.RequestAborted);
    }
}

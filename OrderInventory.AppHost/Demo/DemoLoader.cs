using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace OrderInventory.AppHost.Demo;

/// <summary>Loads the demo shop through the gateway, as any client would. On kept data it finds what is there and adds nothing twice.</summary>
internal static class DemoLoader
{
    public static async Task LoadAsync(Uri gateway, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = gateway, Timeout = TimeSpan.FromSeconds(30) };
        var products = new Dictionary<string, string>();
        foreach (var product in DemoCatalogue.Products)
        {
            var id = products[product.Sku] = await CreateOrFindAsync(
                client,
                "/api/products",
                new { product.Sku, product.Name, product.Description, product.Category, price = new { amount = product.Price, currency = "EUR" } },
                $"sku={product.Sku}",
                cancellationToken);
            using var stock = await client.PutAsJsonAsync(
                $"/api/inventory/{id}", new { product.OnHand, product.LowStockThreshold }, cancellationToken);

            // 428: the record exists, from an earlier start on the same data; its numbers are the shop's now.
            await ExpectAsync(stock, HttpStatusCode.Created, HttpStatusCode.PreconditionRequired);
        }

        var customers = new Dictionary<string, string>();
        foreach (var customer in DemoCatalogue.Customers)
        {
            customers[customer.Email] = await CreateOrFindAsync(
                client, "/api/customers", customer, $"email={Uri.EscapeDataString(customer.Email)}", cancellationToken);
        }

        Console.WriteLine($"Demo: {products.Count} products with stock and {customers.Count} customers are there.");
        var number = 0;
        foreach (var order in DemoCatalogue.Orders)
        {
            number++;
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders")
            {
                Content = JsonContent.Create(new
                {
                    customerId = customers[order.Customer],
                    lines = order.Lines.Select(line => new { productId = products[line.Sku], line.Quantity }),
                }),
            };

            // The same key at every start, so that a second start replays the answer instead of ordering again.
            request.Headers.Add("Idempotency-Key", string.Create(CultureInfo.InvariantCulture, $"demo-order-{number}"));
            request.Headers.Add("Prefer", "wait=5");
            using var response = await client.SendAsync(request, cancellationToken);
            await ExpectAsync(response, HttpStatusCode.Created, HttpStatusCode.Conflict);
            var answer = await response.Content.ReadFromJsonAsync<JsonNode>(cancellationToken);
            Console.WriteLine(response.StatusCode == HttpStatusCode.Created
                ? $"Demo: order {answer!["id"]} of {order.Customer}: {answer["status"]}"
                : $"Demo: an order of {order.Customer} was refused: {answer!["title"]}");
        }
    }

    private static async Task<string> CreateOrFindAsync(HttpClient client, string path, object body, string query, CancellationToken cancellationToken)
    {
        using var created = await client.PostAsJsonAsync(path, body, cancellationToken);
        await ExpectAsync(created, HttpStatusCode.Created, HttpStatusCode.Conflict);
        var answer = created.StatusCode == HttpStatusCode.Created
            ? await created.Content.ReadFromJsonAsync<JsonNode>(cancellationToken)
            : (await client.GetFromJsonAsync<JsonNode>($"{path}?{query}", cancellationToken))?["items"]?[0];
        return answer?["id"]?.GetValue<string>() ?? throw new HttpRequestException($"{path} has neither made nor found {query}");
    }

    private static async Task ExpectAsync(HttpResponseMessage response, params HttpStatusCode[] expected)
    {
        if (!expected.Contains(response.StatusCode))
        {
            throw new HttpRequestException(
                $"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.AbsolutePath} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        }
    }
}

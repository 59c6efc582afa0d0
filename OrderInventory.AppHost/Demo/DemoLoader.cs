using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace OrderInventory.AppHost.Demo;

/// <summary>Loads the demo shop through the gateway, as any client would. On kept data it reuses what exists and adds nothing twice.</summary>
internal sealed class DemoLoader(HttpClient gateway, TextWriter output)
{
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var (products, customers) = await CreateCatalogueAsync(cancellationToken);
        await output.WriteLineAsync($"Demo: {products.Count} products with stock and {customers.Count} customers exist.");
        var number = 0;
        foreach (var order in DemoCatalogue.Orders)
        {
            number++;
            // The same key at every start, so that a second start replays the response instead of ordering again.
            var key = string.Create(CultureInfo.InvariantCulture, $"demo-order-{number}");
            var (created, answer) = await PlaceAsync(key, customers[order.Customer], order.Lines.Select(line => (products[line.Sku], line.Quantity)), cancellationToken);
            await output.WriteLineAsync(created
                ? $"Demo: order {answer["id"]} of {order.Customer}: {answer["status"]}"
                : $"Demo: an order of {order.Customer} was refused: {answer["title"]}");
        }
    }

    /// <summary>Places orders of one random product each.</summary>
    /// <returns>The number of orders in each status, and of refused ones.</returns>
    public async Task<Dictionary<string, int>> PlaceAsync(int count, CancellationToken cancellationToken)
    {
        var (products, customers) = await CreateCatalogueAsync(cancellationToken);
        var outcomes = new Dictionary<string, int>();
        for (var i = 0; i < count; i++)
        {
            var (created, answer) = await PlaceAsync(
                Guid.CreateVersion7().ToString(), customers.Values.ElementAt(Random.Shared.Next(customers.Count)),
                [(products.Values.ElementAt(Random.Shared.Next(products.Count)), Random.Shared.Next(1, 4))], cancellationToken);
            var outcome = created ? (string)answer["status"]! : "refused";
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
        }

        return outcomes;
    }

    private async Task<(Dictionary<string, string> Products, Dictionary<string, string> Customers)> CreateCatalogueAsync(CancellationToken cancellationToken)
    {
        var products = new Dictionary<string, string>();
        foreach (var product in DemoCatalogue.Products)
        {
            var id = products[product.Sku] = await CreateOrFindAsync(
                "/api/products",
                new { product.Sku, product.Name, product.Description, product.Category, price = new { amount = product.Price, currency = "EUR" } },
                $"sku={product.Sku}",
                cancellationToken);
            using var stock = await gateway.PutAsJsonAsync($"/api/inventory/{id}", new { product.OnHand, product.LowStockThreshold }, cancellationToken);

            // 428: the stock record exists from an earlier start on the same data; its quantities are left unchanged.
            await ExpectAsync(stock, HttpStatusCode.Created, HttpStatusCode.PreconditionRequired);
        }

        var customers = new Dictionary<string, string>();
        foreach (var customer in DemoCatalogue.Customers)
        {
            customers[customer.Email] = await CreateOrFindAsync("/api/customers", customer, $"email={Uri.EscapeDataString(customer.Email)}", cancellationToken);
        }

        return (products, customers);
    }

    private async Task<(bool Created, JsonNode Answer)> PlaceAsync(
        string key, string customer, IEnumerable<(string Product, int Quantity)> lines, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders")
        {
            Content = JsonContent.Create(new { customerId = customer, lines = lines.Select(line => new { productId = line.Product, quantity = line.Quantity }) }),
        };
        request.Headers.Add("Idempotency-Key", key);
        request.Headers.Add("Prefer", "wait=5");
        using var response = await gateway.SendAsync(request, cancellationToken);
        await ExpectAsync(response, HttpStatusCode.Created, HttpStatusCode.Conflict);
        return (response.StatusCode == HttpStatusCode.Created, (await response.Content.ReadFromJsonAsync<JsonNode>(cancellationToken))!);
    }

    private async Task<string> CreateOrFindAsync(string path, object body, string query, CancellationToken cancellationToken)
    {
        using var created = await gateway.PostAsJsonAsync(path, body, cancellationToken);
        await ExpectAsync(created, HttpStatusCode.Created, HttpStatusCode.Conflict);
        var answer = created.StatusCode == HttpStatusCode.Created
            ? await created.Content.ReadFromJsonAsync<JsonNode>(cancellationToken)
            : (await gateway.GetFromJsonAsync<JsonNode>($"{path}?{query}", cancellationToken))?["items"]?[0];
        return answer?["id"]?.GetValue<string>() ?? throw new HttpRequestException($"{path} neither created nor found {query}");
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

using OrderInventory.Contracts;
using OrderInventory.Contracts.Products;
using OrderInventory.Orders.Data;

namespace OrderInventory.Orders.Clients;

/// <summary>Queries Products for what the local copies lack: a product that was created a moment ago.</summary>
internal sealed class ProductsClient(HttpClient http)
{
    internal sealed record ProductList(IReadOnlyList<ProductItem> Items);

    internal sealed record ProductItem(Guid Id, string Sku, string Name, Money Price, ProductStatus Status, long Version);

    /// <summary>Returns the products that exist. Throws when Products does not answer.</summary>
    public async Task<IReadOnlyList<ProductCopy>> GetAsync(IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        var products = new List<ProductCopy>(ids.Count);
        foreach (var chunk in ids.Chunk(100))
        {
            var list = await http.GetFromJsonAsync($"/api/products?ids={string.Join(',', chunk)}&limit=100", OrdersJson.Default.ProductList, cancellationToken);
            products.AddRange(list!.Items.Select(p => new ProductCopy
            {
                ProductId = p.Id,
                Version = p.Version,
                Sku = p.Sku,
                Name = p.Name,
                Price = p.Price.Amount,
                Currency = p.Price.Currency,
                Status = p.Status,
            }));
        }

        return products;
    }
}

using Microsoft.Extensions.Caching.Memory;
using OrderInventory.Orders.Data;

namespace OrderInventory.Orders.Pricing;

/// <summary>
/// Caches in memory the copies of products that can be ordered and of customers who can order. Entries may be out of date: the write of an
/// order compares them with the database, so nothing is accepted on them alone, and nothing is refused because of them.
/// </summary>
internal sealed class CopyMemory : IDisposable
{
    private const int MaxEntries = 100_000;

    private readonly MemoryCache _products = new(new MemoryCacheOptions { SizeLimit = MaxEntries });
    private readonly MemoryCache _customers = new(new MemoryCacheOptions { SizeLimit = MaxEntries });

    public ProductCopy? FindProduct(Guid id) => _products.Get<ProductCopy>(id);

    public bool HasCustomer(Guid id) => _customers.TryGetValue(id, out _);

    public void KeepProduct(ProductCopy product) => _products.Set(product.ProductId, product, new MemoryCacheEntryOptions { Size = 1 });

    public void KeepCustomer(Guid id) => _customers.Set(id, true, new MemoryCacheEntryOptions { Size = 1 });

    public void ForgetProduct(Guid id) => _products.Remove(id);

    public void ForgetCustomer(Guid id) => _customers.Remove(id);

    public void Dispose()
    {
        _products.Dispose();
        _customers.Dispose();
    }
}

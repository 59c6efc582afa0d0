using Npgsql;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Products;
using OrderInventory.Orders.Clients;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;
using Polly;

namespace OrderInventory.Orders.Pricing;

/// <summary>
/// Products and customers as Orders sees them: from memory, then from the local copies in the database, and by a call when there is no copy,
/// because the event of something just created may not have arrived yet. Orders that miss the same entry at the same time share one query
/// and one call; the call's answer is the copy until the event arrives.
/// </summary>
internal sealed class Catalogue
{
    private readonly NpgsqlDataSource _database;
    private readonly CopyMemory _memory;
    private readonly SharedCalls<ProductCopy> _productRows;
    private readonly SharedCalls<ProductCopy> _productCalls;
    private readonly SharedCalls<CustomerStatus> _customerRows;
    private readonly SharedCalls<CustomerStatus> _customerCalls;

    // A call without an answer is retried for long enough to bridge a service that restarts or is very busy.
    private readonly ResiliencePipeline _repeat;

    public Catalogue(IServiceScopeFactory services, NpgsqlDataSource database, CopyMemory memory, TimeProvider time)
    {
        (_database, _memory) = (database, memory);
        _productRows = new(ReadProductsAsync);
        _customerRows = new(ReadCustomersAsync);
        _productCalls = new(ids => CallAsync<ProductsClient, ProductCopy>(services, (client, stop) => FetchAsync(client, ids, stop)));
        _customerCalls = new(ids => CallAsync<CustomersClient, CustomerStatus>(services, (client, stop) => FetchAsync(client, ids, stop)));
        _repeat = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddTimeout(TimeSpan.FromSeconds(4))
            .AddRetry(new()
            {
                ShouldHandle = new PredicateBuilder().Handle<Exception>(exception => exception.IsUnavailable(CancellationToken.None)),
                MaxRetryAttempts = int.MaxValue,
                Delay = TimeSpan.FromMilliseconds(200),
            })
            .Build();
    }

    /// <summary>Returns the products that exist; null when Products is needed and does not answer.</summary>
    /// <param name="ids">Without duplicates.</param>
    /// <param name="fresh">Whether to bypass memory.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IReadOnlyDictionary<Guid, ProductCopy>?> FindProductsAsync(IReadOnlyCollection<Guid> ids, bool fresh, CancellationToken cancellationToken)
    {
        var found = new Dictionary<Guid, ProductCopy>(ids.Count);
        var missing = new List<Guid>();
        foreach (var id in ids)
        {
            if (!fresh && _memory.FindProduct(id) is { } product)
            {
                found[id] = product;
            }
            else
            {
                missing.Add(id);
            }
        }

        if (missing.Count == 0)
        {
            return found;
        }

        await AddAsync(_productRows);
        missing.RemoveAll(found.ContainsKey);
        try
        {
            await AddAsync(_productCalls);
            return found;
        }
        catch (Exception exception) when (exception.IsUnavailable(cancellationToken))
        {
            return null;
        }

        async Task AddAsync(SharedCalls<ProductCopy> source)
        {
            if (missing.Count > 0)
            {
                foreach (var (id, product) in await source.GetAsync(missing, cancellationToken))
                {
                    found[id] = product;
                }
            }
        }
    }

    /// <summary>The customer's status, <see cref="CustomerStatus.Erased"/> when there is none; null when Customers is needed and does not answer.</summary>
    /// <returns>Also whether the status comes from a copy, not from Customers itself.</returns>
    public async Task<(CustomerStatus? Status, bool IsCopy)> FindCustomerAsync(Guid id, bool fresh, CancellationToken cancellationToken)
    {
        if (!fresh && _memory.HasCustomer(id))
        {
            return (CustomerStatus.Active, true);
        }

        if ((await _customerRows.GetAsync([id], cancellationToken)).TryGetValue(id, out var status))
        {
            return (status, true);
        }

        try
        {
            return ((await _customerCalls.GetAsync([id], cancellationToken)).TryGetValue(id, out status) ? status : CustomerStatus.Erased, false);
        }
        catch (Exception exception) when (exception.IsUnavailable(cancellationToken))
        {
            return (null, false);
        }
    }

    private async Task<IReadOnlyDictionary<Guid, ProductCopy>> ReadProductsAsync(IReadOnlyList<Guid> ids)
    {
        var products = await Copies.ReadProductsAsync(_database, ids);
        foreach (var id in ids)
        {
            if (products.GetValueOrDefault(id) is { Status: ProductStatus.Active } product)
            {
                _memory.KeepProduct(product);
            }
            else
            {
                _memory.ForgetProduct(id);
            }
        }

        return products;
    }

    private async Task<IReadOnlyDictionary<Guid, CustomerStatus>> ReadCustomersAsync(IReadOnlyList<Guid> ids)
    {
        var customers = await Copies.ReadCustomersAsync(_database, ids);
        foreach (var id in ids)
        {
            if (customers.TryGetValue(id, out var status) && status == CustomerStatus.Active)
            {
                _memory.KeepCustomer(id);
            }
            else
            {
                _memory.ForgetCustomer(id);
            }
        }

        return customers;
    }

    private async Task<IReadOnlyDictionary<Guid, ProductCopy>> FetchAsync(ProductsClient client, IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        // Read the copies again: the previous call, which has just ended, may have stored them.
        var products = (await Copies.ReadProductsAsync(_database, ids)).ToDictionary();
        List<Guid> missing = [.. ids.Where(id => !products.ContainsKey(id))];
        if (missing.Count > 0 && await client.GetAsync(missing, cancellationToken) is { Count: > 0 } answered)
        {
            await WriteAsync(Copies.Upsert(answered), cancellationToken);
            foreach (var product in answered)
            {
                products[product.ProductId] = product;
            }
        }

        return products;
    }

    private async Task<IReadOnlyDictionary<Guid, CustomerStatus>> FetchAsync(CustomersClient client, IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        var customers = (await Copies.ReadCustomersAsync(_database, ids)).ToDictionary();
        // One at a time: a placement has one customer.
        foreach (var id in ids.Where(id => !customers.ContainsKey(id)))
        {
            if (await client.ExistsAsync(id, cancellationToken))
            {
                await WriteAsync(Copies.KeepCustomers([id]), cancellationToken);
                customers[id] = CustomerStatus.Active;
            }
        }

        return customers;
    }

    private async Task WriteAsync(NpgsqlBatchCommand keep, CancellationToken cancellationToken)
    {
        await using var batch = _database.CreateBatch();
        batch.BatchCommands.Add(keep);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<IReadOnlyDictionary<Guid, T>> CallAsync<TClient, T>(
        IServiceScopeFactory services, Func<TClient, CancellationToken, Task<IReadOnlyDictionary<Guid, T>>> ask)
        where TClient : notnull => await _repeat.ExecuteAsync(async stop =>
        {
            await using var scope = services.CreateAsyncScope();
            return await ask(scope.ServiceProvider.GetRequiredService<TClient>(), stop);
        });
}

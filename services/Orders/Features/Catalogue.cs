using Npgsql;
using OrderInventory.Contracts.Customers;
using OrderInventory.Orders.Clients;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Features;

/// <summary>
/// Products and customers as Orders sees them: from its own copies, and by a call where the copy is missing, because what was made a
/// moment ago may not have arrived yet. Many orders that miss one copy make one call, and its answer is the copy until the event comes.
/// </summary>
internal sealed class Catalogue
{
    /// <summary>How long a call that gets no answer is repeated: long enough for a service that restarts, or is very busy.</summary>
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    private readonly IServiceScopeFactory _services;
    private readonly NpgsqlDataSource _database;
    private readonly TimeProvider _time;
    private readonly SharedCalls<ProductCopy> _products;
    private readonly SharedCalls<CustomerStatus> _customers;

    public Catalogue(IServiceScopeFactory services, NpgsqlDataSource database, TimeProvider time)
    {
        (_services, _database, _time) = (services, database, time);
        _products = new(ids => RepeatAsync<ProductsClient, ProductCopy>(products => AskAsync(products, ids)));
        _customers = new(ids => RepeatAsync<CustomersClient, CustomerStatus>(customers => AskAsync(customers, ids)));
    }

    /// <summary>The customer's status, <see cref="CustomerStatus.Erased"/> when there is none; null when Customers is needed and does not answer.</summary>
    public async Task<CustomerStatus?> ResolveCustomerAsync(Guid id, CustomerStatus? copy, CancellationToken cancellationToken)
    {
        if (copy is not null)
        {
            return copy;
        }

        try
        {
            return (await _customers.GetAsync([id], cancellationToken)).TryGetValue(id, out var status) ? status : CustomerStatus.Erased;
        }
        catch (Exception exception) when (exception.MeansNoAnswer(cancellationToken))
        {
            return null;
        }
    }

    /// <summary>Those of the products that exist; null when Products is needed and does not answer.</summary>
    public async Task<IReadOnlyList<ProductCopy>?> ResolveProductsAsync(IReadOnlyList<Guid> missing, CancellationToken cancellationToken)
    {
        if (missing.Count == 0)
        {
            return [];
        }

        try
        {
            return [.. (await _products.GetAsync(missing, cancellationToken)).Values];
        }
        catch (Exception exception) when (exception.MeansNoAnswer(cancellationToken))
        {
            return null;
        }
    }

    private async Task<IReadOnlyDictionary<Guid, ProductCopy>> AskAsync(ProductsClient client, IReadOnlyList<Guid> ids)
    {
        var products = await client.GetAsync(ids, CancellationToken.None);
        await WriteAsync(Copies.Keep(products), products.Count);
        return products.ToDictionary(product => product.ProductId);
    }

    private async Task<IReadOnlyDictionary<Guid, CustomerStatus>> AskAsync(CustomersClient client, IReadOnlyList<Guid> ids)
    {
        // One at a time: a placement is about one customer.
        var customers = new Dictionary<Guid, CustomerStatus>();
        foreach (var id in ids)
        {
            if (await client.ExistsAsync(id, CancellationToken.None))
            {
                customers[id] = CustomerStatus.Active;
            }
        }

        await WriteAsync(Copies.KeepCustomers([.. customers.Keys]), customers.Count);
        return customers;
    }

    private async Task WriteAsync(NpgsqlBatchCommand keep, int count)
    {
        if (count > 0)
        {
            await using var batch = _database.CreateBatch();
            batch.BatchCommands.Add(keep);
            await batch.ExecuteNonQueryAsync();
        }
    }

    private async Task<IReadOnlyDictionary<Guid, T>> RepeatAsync<TClient, T>(Func<TClient, Task<IReadOnlyDictionary<Guid, T>>> ask)
        where TClient : notnull
    {
        var started = _time.GetTimestamp();
        while (true)
        {
            try
            {
                await using var scope = _services.CreateAsyncScope();
                return await ask(scope.ServiceProvider.GetRequiredService<TClient>());
            }
            catch (Exception exception) when (exception.MeansNoAnswer(CancellationToken.None) && _time.GetElapsedTime(started) < s_timeout)
            {
                await Task.Delay(s_pause, _time);
            }
        }
    }
}

using OrderInventory.Contracts.Customers;
using OrderInventory.Orders.Clients;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Features;

/// <summary>
/// Products and customers as Orders sees them: from its own copies, and by a call where the copy is missing, because what was made a
/// moment ago may not have arrived yet.
/// </summary>
internal sealed class Catalogue(ProductsClient products, CustomersClient customers)
{
    /// <summary>The customer's status, <see cref="CustomerStatus.Erased"/> when there is none; null when Customers is needed and does not answer.</summary>
    public async Task<CustomerStatus?> ResolveCustomerAsync(Guid id, CustomerStatus? copy, CancellationToken cancellationToken)
    {
        if (copy is not null)
        {
            return copy;
        }

        try
        {
            return await customers.ExistsAsync(id, cancellationToken) ? CustomerStatus.Active : CustomerStatus.Erased;
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
            return await products.GetAsync(missing, cancellationToken);
        }
        catch (Exception exception) when (exception.MeansNoAnswer(cancellationToken))
        {
            return null;
        }
    }
}

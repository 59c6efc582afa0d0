using OrderInventory.Orders.Data;

namespace OrderInventory.Orders.Clients;

/// <summary>Asks Customers for what the local copies lack: a customer who was made a moment ago.</summary>
internal sealed class CustomersClient(HttpClient http)
{
    internal sealed record CustomerList(IReadOnlyList<CustomerItem> Items);

    internal sealed record CustomerItem(Guid Id);

    /// <summary>Whether the customer exists and is not erased. Throws when Customers does not answer.</summary>
    public async Task<bool> ExistsAsync(Guid id, CancellationToken cancellationToken)
    {
        var list = await http.GetFromJsonAsync($"/api/customers?ids={id}", OrdersJson.Default.CustomerList, cancellationToken);
        return list!.Items.Count > 0;
    }
}

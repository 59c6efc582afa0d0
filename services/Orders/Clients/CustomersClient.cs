using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Clients;

/// <summary>Queries Customers for what the local copies lack: a customer who was created a moment ago.</summary>
internal sealed partial class CustomersClient(HttpClient http, ILogger<CustomersClient> logger)
{
    internal sealed record CustomerList(IReadOnlyList<CustomerItem> Items);

    internal sealed record CustomerItem(Guid Id);

    /// <summary>Whether the customer exists and is not erased. Throws when Customers does not answer.</summary>
    public async Task<bool> ExistsAsync(Guid id, CancellationToken cancellationToken)
    {
        var list = await http.GetFromJsonAsync($"/api/customers?ids={id}", OrdersJson.Default.CustomerList, cancellationToken);
        return list!.Items.Count > 0;
    }

    /// <summary>The first 100 customers whose name, e-mail, phone or city contains the text; null when Customers does not answer.</summary>
    public async Task<Guid[]?> SearchAsync(string text, CancellationToken cancellationToken)
    {
        try
        {
            var list = await http.GetFromJsonAsync($"/api/customers?q={Uri.EscapeDataString(text)}&limit=100", OrdersJson.Default.CustomerList, cancellationToken);
            return [.. list!.Items.Select(customer => customer.Id)];
        }
        catch (Exception exception) when (exception.IsUnavailable(cancellationToken))
        {
            LogNoAnswer(exception.Message);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Customers did not answer: {Reason}")]
    private partial void LogNoAnswer(string reason);
}

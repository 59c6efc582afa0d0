using System.Net.Http.Json;
using System.Text.Json;
using OrderInventory.Contracts.Customers;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Clients;

/// <summary>Reads customers' addresses. They are requested when something is sent and stored only with the sent message.</summary>
internal sealed partial class CustomersClient(HttpClient http, ILogger<CustomersClient> logger)
{
    /// <summary>Maximum number of ids per call.</summary>
    public const int MaxIds = 100;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Finds the customers that exist, by id; null when Customers does not answer.</summary>
    public async Task<IReadOnlyDictionary<Guid, Customer>?> FindAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken)
    {
        try
        {
            var page = await http.GetFromJsonAsync<CustomerPage>(
                $"/api/customers?limit={MaxIds}&ids={string.Join(',', ids)}", s_json, cancellationToken);
            return page!.Items.ToDictionary(c => c.Id);
        }
        catch (Exception exception) when (exception.IsUnavailable(cancellationToken))
        {
            LogUnavailable(exception.GetType().Name);
            return null;
        }
    }

    public sealed record Customer(
        Guid Id, long Version, string? Name, string? Email, string? Phone, string? Language, string? Status, ContactChannels? Channels);

    private sealed record CustomerPage(IReadOnlyList<Customer> Items);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Customers does not answer ({Reason}); notifications wait")]
    private partial void LogUnavailable(string reason);
}

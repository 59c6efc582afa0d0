using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Clients;

/// <summary>How orders are shipped: free text, which is in no event. It is requested when a message is sent and stored only in it.</summary>
internal sealed partial class OrdersClient(HttpClient http, ILogger<OrdersClient> logger)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>The orders' shipments by order, without orders that do not exist; null when Orders does not answer.</summary>
    public async Task<IReadOnlyDictionary<Guid, Shipment>?> FindShipmentsAsync(IReadOnlyCollection<Guid> orders, CancellationToken cancellationToken)
    {
        var found = new Dictionary<Guid, Shipment>();
        foreach (var id in orders)
        {
            try
            {
                using var response = await http.GetAsync($"/api/orders/{id}", cancellationToken);
                if (response.StatusCode == HttpStatusCode.NotFound)
                {
                    continue;
                }

                response.EnsureSuccessStatusCode();
                if ((await response.Content.ReadFromJsonAsync<Shipment>(s_json, cancellationToken)) is { } shipment)
                {
                    found[id] = shipment;
                }
            }
            catch (Exception exception) when (exception.IsUnavailable(cancellationToken))
            {
                LogUnavailable(exception.GetType().Name);
                return null;
            }
        }

        return found;
    }

    /// <summary>What Notifications needs of an order; both are null while it is not shipped, or when it was shipped without them.</summary>
    public sealed record Shipment(string? Carrier, string? TrackingNumber);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Orders does not answer ({Reason}); messages about shipments wait")]
    private partial void LogUnavailable(string reason);
}

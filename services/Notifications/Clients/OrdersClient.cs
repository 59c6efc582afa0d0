using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Clients;

/// <summary>How orders are sent: free text, which is in no event. It is asked for when a message goes out and kept nowhere but in what was sent.</summary>
internal sealed partial class OrdersClient(HttpClient http, ILogger<OrdersClient> logger)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>The orders' shipments by order, without orders that are gone; null when Orders does not answer.</summary>
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

    /// <summary>What Notifications needs of an order; both are null while it is not shipped, or was shipped without them.</summary>
    public sealed record Shipment(string? Carrier, string? TrackingNumber);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Orders does not answer ({Reason}); messages about shipments wait")]
    private partial void LogUnavailable(string reason);
}

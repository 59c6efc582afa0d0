using System.Text.Json;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Clients;

/// <summary>What the other services answered for a batch; null for a service that did not answer.</summary>
internal sealed record Facts(
    IReadOnlyDictionary<Guid, CustomersClient.Customer>? Customers, IReadOnlyDictionary<Guid, OrdersClient.Shipment>? Shipments,
    IReadOnlyDictionary<Guid, ProductsClient.Product>? Products)
{
    /// <summary>The service without whose answer the notification cannot be sent; null when no answer is missing.</summary>
    public string? Missing(ClaimedNotification notification) => notification switch
    {
        { CustomerId: not null, Erased: not true } when Customers is null => "Customers",
        _ when Shipments is null && Templates.WithShipment.Contains(notification.Template) => "Orders",
        _ when Products is null && Templates.ForStaff.Contains(notification.Template) => "Products",
        _ => null,
    };

    /// <summary>The recorded data, completed with the other services' answers.</summary>
    public NotificationData AddTo(NotificationData data, ClaimedNotification notification)
    {
        var shipment = notification.OrderId is { } order && Templates.WithShipment.Contains(notification.Template) ? Shipments?.GetValueOrDefault(order) : null;
        var product = data.ProductId is { } id ? Products?.GetValueOrDefault(id) : null;
        return data with { Carrier = shipment?.Carrier, TrackingNumber = shipment?.TrackingNumber, Sku = product?.Sku, ProductName = product?.Name };
    }
}

/// <summary>Queries the other services for a batch: Customers in one call, Orders and Products only for messages that need their data.</summary>
internal sealed class MessageFacts(CustomersClient customers, OrdersClient orders, ProductsClient products)
{
    public async Task<IReadOnlyDictionary<Guid, CustomersClient.Customer>?> FindCustomersAsync(
        IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken) =>
        ids.Count == 0 ? new Dictionary<Guid, CustomersClient.Customer>() : await customers.FindAsync(ids, cancellationToken);

    public async Task<Facts> CompleteAsync(
        IReadOnlyDictionary<Guid, CustomersClient.Customer>? found, IReadOnlyList<ClaimedNotification> claimed, CancellationToken cancellationToken)
    {
        var shipped = claimed.Where(n => Templates.WithShipment.Contains(n.Template) && n.Wanted != false && n.Erased != true).Select(n => n.OrderId).OfType<Guid>().ToHashSet();
        var stock = claimed.Where(n => Templates.ForStaff.Contains(n.Template)).Select(ProductOf).OfType<Guid>().ToHashSet();
        return new(found, await orders.FindShipmentsAsync(shipped, cancellationToken), await products.FindAsync(stock, cancellationToken));
    }

    private static Guid? ProductOf(ClaimedNotification notification)
    {
        try
        {
            return JsonSerializer.Deserialize(notification.Data, NotificationJson.Default.NotificationData)?.ProductId;
        }
        catch (JsonException)
        {
            // Rendering the message reports this.
            return null;
        }
    }
}

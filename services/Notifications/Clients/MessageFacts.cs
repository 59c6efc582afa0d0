using System.Text.Json;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Clients;

/// <summary>What the neighbours say when a batch goes out; what nobody answered for is null.</summary>
internal sealed record Facts(
    IReadOnlyDictionary<Guid, CustomersClient.Customer>? Customers, IReadOnlyDictionary<Guid, OrdersClient.Shipment>? Shipments,
    IReadOnlyDictionary<Guid, ProductsClient.Product>? Products)
{
    /// <summary>Who does not answer without whom the notification cannot be sent; null when all is there.</summary>
    public string? Missing(ClaimedNotification notification) => notification switch
    {
        { CustomerId: not null, Erased: not true } when Customers is null => "Customers",
        _ when Shipments is null && Templates.WithShipment.Contains(notification.Template) => "Orders",
        _ when Products is null && Templates.ForStaff.Contains(notification.Template) => "Products",
        _ => null,
    };

    /// <summary>The data that was recorded, with what is told beside it.</summary>
    public NotificationData AddTo(NotificationData data, ClaimedNotification notification)
    {
        var shipment = notification.OrderId is { } order && Templates.WithShipment.Contains(notification.Template) ? Shipments?.GetValueOrDefault(order) : null;
        var product = data.ProductId is { } id ? Products?.GetValueOrDefault(id) : null;
        return data with { Carrier = shipment?.Carrier, TrackingNumber = shipment?.TrackingNumber, Sku = product?.Sku, ProductName = product?.Name };
    }
}

/// <summary>Asks the neighbours for a batch: Customers in one call, Orders and Products only where a message tells of them.</summary>
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
            // Whoever renders it says so.
            return null;
        }
    }
}

using System.Net.Http.Json;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Clients;

/// <summary>Asks Notifications who was told of an order, for its timeline.</summary>
internal sealed partial class NotificationsClient(HttpClient http, ILogger<NotificationsClient> logger)
{
    internal sealed record NotificationList(IReadOnlyList<Item> Items);

    internal sealed record Item(
        Guid Id, Guid EventId, string Template, string Channel, string Status, int Attempts, DateTimeOffset CreatedAt, DateTimeOffset? SentAt);

    /// <summary>The order's notifications, at most 100; null when Notifications does not answer.</summary>
    public async Task<IReadOnlyList<Item>?> FindAsync(Guid orderId, CancellationToken cancellationToken)
    {
        try
        {
            return (await http.GetFromJsonAsync($"/api/notifications?orderId={orderId}&limit=100", OrdersJson.Default.NotificationList, cancellationToken))!.Items;
        }
        catch (Exception exception) when (exception.MeansNoAnswer(cancellationToken))
        {
            LogNoAnswer(exception.Message);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Notifications did not answer: {Reason}")]
    private partial void LogNoAnswer(string reason);
}

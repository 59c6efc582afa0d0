using System.Net.Http.Json;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Clients;

/// <summary>Queries the notifications about an order, for its timeline.</summary>
internal sealed partial class NotificationsClient(HttpClient http, ILogger<NotificationsClient> logger)
{
    /// <summary>The template of a delivery to a webhook.</summary>
    public const string WebhookDelivery = "event";

    private const int MaxPages = 5;

    internal sealed record NotificationList(IReadOnlyList<Item> Items, string? Next);

    internal sealed record Item(
        Guid Id, Guid EventId, string Template, string Channel, string Status, int Attempts, DateTimeOffset CreatedAt, DateTimeOffset? SentAt);

    /// <param name="Items">Newest first.</param>
    /// <param name="AreAll">False when Notifications did not answer, or has more items than are read.</param>
    internal sealed record OrderNotifications(IReadOnlyList<Item> Items, bool AreAll);

    /// <summary>The newest 500 notifications of the order; without the limit, an order with very many would delay its timeline.</summary>
    public async Task<OrderNotifications> FindAsync(Guid orderId, CancellationToken cancellationToken)
    {
        var items = new List<Item>();
        string? next = null;
        try
        {
            for (var pages = 0; pages < MaxPages; pages++)
            {
                var page = (await http.GetFromJsonAsync(
                    $"/api/notifications?orderId={orderId}&limit=100{(next is null ? "" : $"&cursor={Uri.EscapeDataString(next)}")}",
                    OrdersJson.Default.NotificationList, cancellationToken))!;
                items.AddRange(page.Items);
                next = page.Next;
                if (next is null)
                {
                    return new(items, AreAll: true);
                }
            }
        }
        catch (Exception exception) when (exception.IsUnavailable(cancellationToken))
        {
            LogNoAnswer(exception.Message);
        }

        return new(items, AreAll: false);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Notifications did not answer: {Reason}")]
    private partial void LogNoAnswer(string reason);
}

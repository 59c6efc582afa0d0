using OrderInventory.Contracts.Orders;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Features;

/// <summary>
/// <c>order.created</c> and <c>order.updated</c>: notifies the customer that the order was received, and of every change except intermediate steps.
/// Both kinds of notifications are recorded by one statement.
/// </summary>
internal sealed class OrderEventsHandler(NotificationRecorder recorder, WebhookRecorder webhooks) : IBatchHandler
{
    /// <summary>Intermediate steps notify nobody.</summary>
    public static bool Concerns(OrderUpdated order) => Templates.For(order) is not null;

    public async Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        foreach (var ofOneType in events.GroupBy(received => received.Type))
        {
            await webhooks.RecordAsync(batch, [.. ofOneType.Select(ForWebhooks)], cancellationToken);
        }

        var rows = new List<(ReceivedEvent, NotificationRequest)>(events.Count);
        foreach (var received in events)
        {
            if (ForCustomer(received) is { } request)
            {
                rows.Add((received, request));
            }
        }

        recorder.Record(batch, rows);
    }

    private static NotificationRequest? ForCustomer(ReceivedEvent received) => received.Data switch
    {
        OrderCreated created => NotificationRequest.For(created),
        OrderUpdated updated => NotificationRequest.For(updated),
        _ => null,
    };

    private static WebhookEventRow ForWebhooks(ReceivedEvent received) => received.Data switch
    {
        OrderCreated created => new(received, created.OrderId, created.CustomerId, created.PlacedAt),
        OrderUpdated updated => new(received, updated.OrderId, updated.CustomerId, updated.UpdatedAt),
        _ => throw new InvalidOperationException($"{received.Type} is not registered for this handler."),
    };
}

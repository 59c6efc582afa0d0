using OrderInventory.Contracts.Orders;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Features;

/// <summary>order.created: the customer is told that the order was received.</summary>
internal sealed class OrderCreatedHandler(NotificationRecorder recorder, WebhookRecorder webhooks) : IBatchHandler
{
    public async Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        await webhooks.RecordAsync(
            batch,
            [.. events.Select(e => (e, (OrderCreated)e.Data)).Select(e => new WebhookEventRow(e.e, e.Item2.OrderId, e.Item2.CustomerId, e.Item2.PlacedAt))],
            cancellationToken);
        recorder.Record(batch, [.. events.Select(e => (e, NotificationRequest.For((OrderCreated)e.Data)))]);
    }
}

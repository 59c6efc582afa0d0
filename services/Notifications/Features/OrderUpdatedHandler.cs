using OrderInventory.Contracts.Orders;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Features;

/// <summary>order.updated: the customer is told of every change that has an outcome.</summary>
internal sealed class OrderUpdatedHandler(NotificationRecorder recorder, WebhookRecorder webhooks) : IBatchHandler
{
    /// <summary>Steps in between are told to nobody.</summary>
    public static bool Concerns(OrderUpdated order) => Templates.For(order) is not null;

    public async Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        await webhooks.RecordAsync(
            batch,
            [.. events.Select(e => (e, (OrderUpdated)e.Data)).Select(e => new WebhookEventRow(e.e, e.Item2.OrderId, e.Item2.CustomerId, e.Item2.UpdatedAt))],
            cancellationToken);
        var rows = new List<(ReceivedEvent, NotificationRequest)>(events.Count);
        foreach (var received in events)
        {
            if (NotificationRequest.For((OrderUpdated)received.Data) is { } request)
            {
                rows.Add((received, request));
            }
        }

        recorder.Record(batch, rows);
    }
}

using OrderInventory.Contracts.Inventory;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Features;

/// <summary>inventory.updated: staff is told when a product's stock falls to its threshold, which Inventory has decided.</summary>
internal sealed class InventoryUpdatedHandler(NotificationRecorder recorder, WebhookRecorder webhooks) : IBatchHandler
{
    /// <summary>Nearly every change of stock crosses nothing.</summary>
    public static bool Concerns(InventoryUpdated stock) => stock.LowStock == LowStockCrossing.Entered;

    public async Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        recorder.Record(batch, [.. events.Where(e => Concerns((InventoryUpdated)e.Data)).Select(e => (e, NotificationRequest.For((InventoryUpdated)e.Data)))]);
        await webhooks.RecordAsync(
            batch, [.. events.Select(e => new WebhookEventRow(e, null, null, ((InventoryUpdated)e.Data).UpdatedAt))], cancellationToken);
    }
}

using OrderInventory.Contracts.Inventory;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Notifications.Data;

namespace OrderInventory.Notifications.Features;

/// <summary>inventory.updated: staff is to be told when a product's stock falls to its threshold, or rises above it again, which Inventory has decided.</summary>
internal sealed class InventoryUpdatedHandler(StaffRecorder staff, WebhookRecorder webhooks) : IBatchHandler
{
    /// <summary>Nearly every change of stock crosses nothing.</summary>
    public static bool Concerns(InventoryUpdated stock) => stock.LowStock is not null;

    public async Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        await webhooks.RecordAsync(
            batch, [.. events.Select(e => new WebhookEventRow(e, null, null, ((InventoryUpdated)e.Data).UpdatedAt))], cancellationToken);
        staff.Record(batch, [.. events.Where(e => Concerns((InventoryUpdated)e.Data))]);
    }
}

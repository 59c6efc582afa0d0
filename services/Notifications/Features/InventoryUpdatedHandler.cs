using OrderInventory.Contracts.Inventory;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Notifications.Data;

namespace OrderInventory.Notifications.Features;

/// <summary>inventory.updated: notifies staff when Inventory reports that a product's stock fell to its threshold or rose above it again.</summary>
internal sealed class InventoryUpdatedHandler(StaffRecorder staff, WebhookRecorder webhooks) : IBatchHandler
{
    /// <summary>Nearly no change of stock crosses a threshold.</summary>
    public static bool Concerns(InventoryUpdated stock) => stock.LowStock is not null;

    public async Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        await webhooks.RecordAsync(
            batch, [.. events.Select(e => new WebhookEventRow(e, null, null, ((InventoryUpdated)e.Data).UpdatedAt))], cancellationToken);
        staff.Record(batch, [.. events.Where(e => Concerns((InventoryUpdated)e.Data))]);
    }
}

using OrderInventory.Contracts;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Messaging;

namespace OrderInventory.Inventory;

/// <summary>What this service publishes.</summary>
internal static class InventoryEvents
{
    public static readonly EventType<ReservationDecided> ReservationDecided =
        new(Contracts.Inventory.ReservationDecided.Topic, Contracts.Inventory.ReservationDecided.Type, "/inventory", EventsJson.Default.ReservationDecided);

    public static readonly EventType<StockCheckReplied> StockCheckReplied =
        new(Contracts.Inventory.StockCheckReplied.Topic, Contracts.Inventory.StockCheckReplied.Type, "/inventory", EventsJson.Default.StockCheckReplied);

    public static readonly EventType<InventoryUpdated> Updated =
        new(InventoryUpdated.Topic, InventoryUpdated.Type, "/inventory", EventsJson.Default.InventoryUpdated);
}

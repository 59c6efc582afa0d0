using OrderInventory.Inventory.Domain;

namespace OrderInventory.Inventory;

/// <summary>Settings, from the section <c>Inventory</c>.</summary>
internal sealed class InventoryOptions
{
    /// <summary>From which locations an order is served.</summary>
    public AllocationPolicy Allocation { get; set; }

    /// <summary>How often the sweeper looks for holds whose time is over.</summary>
    public TimeSpan HoldSweep { get; set; } = TimeSpan.FromSeconds(1);
}

using OrderInventory.Inventory.Domain;

namespace OrderInventory.Inventory;

/// <summary>Settings, from the section <c>Inventory</c>.</summary>
internal sealed class InventoryOptions
{
    /// <summary>From which locations an order is served.</summary>
    public AllocationPolicy Allocation { get; set; }

    /// <summary>How often the sweeper looks for expired holds.</summary>
    public TimeSpan HoldSweep { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a hold may last at most after its creation, with all its extensions. Without a limit a cart could keep units indefinitely.
    /// </summary>
    public TimeSpan MaxHoldLifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How often movements are added to the closing balances.</summary>
    public TimeSpan ClosingInterval { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How old these movements must be. The report reads younger ones one by one, so it detects when one of them was changed.</summary>
    public TimeSpan ClosingAge { get; set; } = TimeSpan.FromDays(1);
}

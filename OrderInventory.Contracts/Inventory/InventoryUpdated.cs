using System.Text.Json.Serialization;

namespace OrderInventory.Contracts.Inventory;

/// <summary>A product's stock changed: one event per product and batch of changes, with the quantities after the batch.</summary>
/// <param name="ProductId">The product; the Kafka key.</param>
/// <param name="Version">Grows with every change of the product's stock.</param>
/// <param name="OnHand">Units in the warehouse.</param>
/// <param name="Reserved">Units promised to orders; never more than <paramref name="OnHand"/>.</param>
/// <param name="Available"><paramref name="OnHand"/> minus <paramref name="Reserved"/>.</param>
/// <param name="LowStockThreshold">At or below this, <paramref name="Available"/> counts as low; 0 means never.</param>
/// <param name="LowStock">Set when this change crossed the threshold, otherwise null; decided in the change's own transaction.</param>
/// <param name="UpdatedAt">Time of the change, UTC.</param>
public sealed record InventoryUpdated(
    Guid ProductId,
    long Version,
    long OnHand,
    long Reserved,
    long Available,
    long LowStockThreshold,
    LowStockCrossing? LowStock,
    DateTimeOffset UpdatedAt)
{
    /// <summary>The Kafka topic.</summary>
    public const string Topic = "inventory.updated";

    /// <summary>The CloudEvents type.</summary>
    public const string Type = "inventory.updated.v1";
}

/// <summary>Which way the low-stock threshold was crossed.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<LowStockCrossing>))]
public enum LowStockCrossing
{
    /// <summary>Available fell to or below the threshold.</summary>
    Entered,

    /// <summary>Available rose above the threshold again.</summary>
    Left,
}

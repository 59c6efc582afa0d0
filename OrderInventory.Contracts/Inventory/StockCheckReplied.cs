namespace OrderInventory.Contracts.Inventory;

/// <summary>Inventory's answer to a <see cref="StockCheckRequested"/>. Its <c>ce_causationid</c> is the question's <c>ce_id</c>.</summary>
/// <param name="Sufficient">Whether all lines could be reserved at that moment.</param>
/// <param name="Lines">One per product.</param>
public sealed record StockCheckReplied(bool Sufficient, IReadOnlyList<StockCheckResult> Lines)
{
    /// <summary>The Kafka topic; the key names the replica that asked.</summary>
    public const string Topic = "inventory.check.replied";

    /// <summary>The CloudEvents type.</summary>
    public const string Type = "inventory.check.replied.v1";
}

/// <summary>Available stock of a requested product.</summary>
/// <param name="ProductId">The product.</param>
/// <param name="Requested">Units wanted, summed over the lines.</param>
/// <param name="Available">Units that could be reserved.</param>
/// <param name="Sufficient">Whether that is enough.</param>
public sealed record StockCheckResult(Guid ProductId, long Requested, long Available, bool Sufficient);

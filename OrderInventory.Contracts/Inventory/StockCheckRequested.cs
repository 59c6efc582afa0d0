namespace OrderInventory.Contracts.Inventory;

/// <summary>
/// A replica of Orders asks whether lines could be reserved now. No outbox and no inbox: the answer is only advice, and nobody waits for it
/// after the time in the header <see cref="DeadlineHeader"/>.
/// </summary>
/// <param name="Lines">The requested lines; several lines of one product are summed.</param>
/// <param name="OrderId">An order whose own reservation counts as available, or null.</param>
/// <param name="HoldId">A hold that counts as available, or null.</param>
/// <param name="CustomerId">The customer who orders, when there is a hold; another customer's hold does not count.</param>
public sealed record StockCheckRequested(IReadOnlyList<StockCheckLine> Lines, Guid? OrderId = null, Guid? HoldId = null, Guid? CustomerId = null)
{
    /// <summary>The Kafka topic; the key names the asking replica.</summary>
    public const string Topic = "inventory.check.requested";

    /// <summary>The CloudEvents type.</summary>
    public const string Type = "inventory.check.requested.v1";

    /// <summary>Header with the time, RFC 3339 UTC, after which the question is useless and is dropped.</summary>
    public const string DeadlineHeader = "deadline";
}

/// <summary>One requested line.</summary>
/// <param name="ProductId">The product.</param>
/// <param name="Quantity">Units, at least 1.</param>
public sealed record StockCheckLine(Guid ProductId, long Quantity);

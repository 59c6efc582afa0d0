namespace OrderInventory.Contracts.Inventory;

/// <summary>
/// A replica of Orders asks whether lines could be reserved now. No outbox and no inbox: the answer is advice, and nobody waits for it
/// after the header <see cref="DeadlineHeader"/>.
/// </summary>
/// <param name="Lines">What is wanted; several lines of one product count as one sum.</param>
/// <param name="OrderId">An order whose own reservation counts as available, or null.</param>
/// <param name="HoldId">A hold that counts as available, or null.</param>
/// <param name="CustomerId">Whose order it would be, when there is a hold: one that another customer has made does not count.</param>
public sealed record StockCheckRequested(IReadOnlyList<StockCheckLine> Lines, Guid? OrderId = null, Guid? HoldId = null, Guid? CustomerId = null)
{
    /// <summary>The Kafka topic; the key names the asking replica.</summary>
    public const string Topic = "inventory.check.requested";

    /// <summary>The CloudEvents type.</summary>
    public const string Type = "inventory.check.requested.v1";

    /// <summary>Header with the time, RFC 3339 UTC, after which the question is of no use and is dropped.</summary>
    public const string DeadlineHeader = "deadline";
}

/// <summary>One wanted line.</summary>
/// <param name="ProductId">The product.</param>
/// <param name="Quantity">Units, at least 1.</param>
public sealed record StockCheckLine(Guid ProductId, long Quantity);

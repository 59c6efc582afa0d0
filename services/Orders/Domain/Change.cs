namespace OrderInventory.Orders.Domain;

/// <summary>What a wished change of an order came to.</summary>
internal enum Change
{
    /// <summary>Nothing changed, and nothing was wrong: it was so already, or the answer no longer matters.</summary>
    None,

    /// <summary>The order has a new version.</summary>
    Made,

    /// <summary>The state machine does not allow it from here.</summary>
    Illegal,
}

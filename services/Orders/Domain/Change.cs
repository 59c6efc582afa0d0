namespace OrderInventory.Orders.Domain;

/// <summary>The outcome of a requested change of an order.</summary>
internal enum Change
{
    /// <summary>Nothing changed, and this is no error: the order was already in that state, or the answer no longer matters.</summary>
    None,

    /// <summary>The order has a new version.</summary>
    Made,

    /// <summary>The state machine does not allow it from here.</summary>
    Illegal,
}

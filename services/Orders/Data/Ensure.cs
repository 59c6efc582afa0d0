namespace OrderInventory.Orders.Data;

/// <summary>
/// The function <c>ensure(ok, code, message)</c> of this database ends a transaction from within a batch, so that a condition costs no round
/// trip of its own and the error is the database's.
/// </summary>
internal static class Ensure
{
    /// <summary>SQLSTATE of ours: the copies that an order was priced with are not the current ones.</summary>
    public const string CopiesChanged = "OI001";
}

namespace OrderInventory.Orders.Data;

/// <summary>
/// The database function <c>ensure(ok, code, message)</c> aborts a transaction from within a batch, so that a condition costs no extra round
/// trip and fails as a database error.
/// </summary>
internal static class Ensure
{
    /// <summary>Custom SQLSTATE: the copies that an order was priced with are no longer current.</summary>
    public const string CopiesChanged = "OI001";
}

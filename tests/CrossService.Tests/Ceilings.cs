namespace OrderInventory.CrossService.Tests;

/// <summary>
/// The ceilings for what one order of three lines costs in Orders and Inventory together, from its POST to its confirmation. Counts, never
/// times. A ceiling is raised only with a reason in this file.
/// </summary>
/// <param name="RoundTrips">Database round trips: placement; Inventory's reads, and its writes with the commit; the same in Orders.</param>
/// <param name="Rows">Rows inserted into all tables, including the outbox.</param>
/// <param name="IndexEntries">
/// Index entries of these rows. One is in the index of reservations that hold units: without it, reconciliation reads those of all orders.
/// </param>
/// <param name="Records">Kafka records: order.created, inventory.reservation, order.updated, and an inventory.updated for each product.</param>
/// <param name="WalBytes">WAL of both databases, including the deletion of the outbox rows.</param>
/// <param name="AllocatedBytes">Memory allocated by both services and the test's client, which all run in one process.</param>
internal sealed record Ceilings(double RoundTrips, double Rows, double IndexEntries, double Records, double WalBytes, double AllocatedBytes)
{
    public static readonly Ceilings Alone = new(RoundTrips: 5, Rows: 20, IndexEntries: 27, Records: 6, WalBytes: 14_000, AllocatedBytes: 300_000);

    /// <summary>For each of twenty orders of the same three products that arrive together.</summary>
    public static readonly Ceilings OfTwenty = new(RoundTrips: 0.5, Rows: 18, IndexEntries: 25, Records: 3.2, WalBytes: 10_500, AllocatedBytes: 100_000);
}

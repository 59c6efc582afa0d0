namespace OrderInventory.CrossService.Tests;

/// <summary>
/// What one order of three lines may cost in Orders and Inventory together, from its POST to its confirmation. Counts, never times. A ceiling is
/// raised only with a reason in this file.
/// </summary>
/// <param name="RoundTrips">To the databases: placement; Inventory's reads, and its writes with the commit; the same in Orders.</param>
/// <param name="Rows">Inserted in all tables, those of the outbox too.</param>
/// <param name="IndexEntries">Of these rows. One of them is that of a reservation that holds something: without it the report of the books reads those of all orders.</param>
/// <param name="Records">Kafka records: order.created, inventory.reservation, order.updated, and an inventory.updated for each product.</param>
/// <param name="WalBytes">Of both databases, with the deletion of the outbox rows.</param>
/// <param name="AllocatedBytes">Of both services and the test's client, which all run in one process.</param>
internal sealed record Ceilings(double RoundTrips, double Rows, double IndexEntries, double Records, double WalBytes, double AllocatedBytes)
{
    public static readonly Ceilings Alone = new(RoundTrips: 5, Rows: 20, IndexEntries: 27, Records: 6, WalBytes: 14_000, AllocatedBytes: 300_000);

    /// <summary>Each of twenty orders of the same three products that arrive together.</summary>
    public static readonly Ceilings OfTwenty = new(RoundTrips: 0.5, Rows: 18, IndexEntries: 25, Records: 3.2, WalBytes: 10_500, AllocatedBytes: 100_000);
}

using OrderInventory.Contracts.Inventory;

namespace OrderInventory.Orders.Clients;

/// <summary>How Inventory is asked what it has, by the setting <c>Orders:StockCheck</c>.</summary>
internal interface IStockCheck
{
    /// <summary>
    /// What there is of the products just now. 'Short' is final, for Inventory says it from its database; 'enough' is advice, for the
    /// reservation decides. Null when Inventory does not answer; throws nothing else than the caller's cancellation.
    /// </summary>
    Task<StockCheckReplied?> CheckAsync(StockCheckRequested question, CancellationToken cancellationToken);
}

/// <summary>Nobody is asked: the reservation alone decides.</summary>
internal sealed class NoStockCheck : IStockCheck
{
    private static readonly StockCheckReplied s_nothingIsShort = new(true, []);

    public Task<StockCheckReplied?> CheckAsync(StockCheckRequested question, CancellationToken cancellationToken) =>
        Task.FromResult<StockCheckReplied?>(s_nothingIsShort);
}

using OrderInventory.Contracts.Inventory;

namespace OrderInventory.Orders.Clients;

/// <summary>Asks Inventory for available stock, in the way that the setting <c>Orders:StockCheck</c> selects.</summary>
internal interface IStockCheck
{
    /// <summary>
    /// The current stock of the products. 'Short' is final, because Inventory reads it from its database; 'enough' is only advice, because
    /// the reservation decides. Null when Inventory does not answer; throws only when the caller cancels.
    /// </summary>
    Task<StockCheckReplied?> CheckAsync(StockCheckRequested question, CancellationToken cancellationToken);
}

/// <summary>Does not query Inventory: the reservation alone decides.</summary>
internal sealed class NoStockCheck : IStockCheck
{
    private static readonly StockCheckReplied s_noShortage = new(true, []);

    public Task<StockCheckReplied?> CheckAsync(StockCheckRequested question, CancellationToken cancellationToken) =>
        Task.FromResult<StockCheckReplied?>(s_noShortage);
}

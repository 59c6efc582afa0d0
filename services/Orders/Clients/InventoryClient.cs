using System.Net;
using System.Net.Http.Json;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Clients;

/// <summary>Queries Inventory by HTTP: the stock check, what it decided for an order, and the orders at a location.</summary>
internal sealed partial class InventoryClient(HttpClient http, ILogger<InventoryClient> logger) : IStockCheck
{
    internal sealed record ReservationResponse(long OrderVersion, ReservationOutcome Outcome, IReadOnlyList<Shortage> Shortages, DateTimeOffset DecidedAt);

    public async Task<StockCheckReplied?> CheckAsync(StockCheckRequested question, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.PostAsJsonAsync("/api/inventory/check", question, EventsJson.Default.StockCheckRequested, cancellationToken);
            response.EnsureSuccessStatusCode();
            return await response.Content.ReadFromJsonAsync(EventsJson.Default.StockCheckReplied, cancellationToken);
        }
        catch (Exception exception) when (exception.IsUnavailable(cancellationToken))
        {
            LogUnknown(exception.Message);
            return null;
        }
    }

    /// <summary>What Inventory last decided for an order; null when it does not know the order. Throws when it does not answer.</summary>
    public async Task<ReservationResponse?> FindReservationAsync(Guid orderId, CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync($"/api/inventory/reservations/{orderId}", cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync(OrdersJson.Default.ReservationResponse, cancellationToken);
    }

    /// <summary>Orders that hold stock at a location or were shipped from there, in the order of their ids.</summary>
    /// <param name="location">The location's code.</param>
    /// <param name="after">The last order of the previous answer; null: from the beginning.</param>
    /// <param name="oldestFirst">Whether ids ascend.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    /// <returns>Some orders, and the id up to which all were examined (null at the end); or null when Inventory does not answer.</returns>
    public async Task<OrdersAtLocation?> OrdersAtAsync(string location, Guid? after, bool oldestFirst, CancellationToken cancellationToken)
    {
        try
        {
            return await http.GetFromJsonAsync(
                $"/internal/inventory/orders-at?location={Uri.EscapeDataString(location)}&oldestFirst={(oldestFirst ? "true" : "false")}{(after is null ? "" : $"&after={after}")}",
                OrdersJson.Default.OrdersAtLocation, cancellationToken);
        }
        catch (Exception exception) when (exception.IsUnavailable(cancellationToken))
        {
            LogNoOrders(exception.Message);
            return null;
        }
    }

    internal sealed record OrdersAtLocation(IReadOnlyList<Guid> Orders, Guid? Last);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Inventory did not answer which orders are at a location: {Reason}")]
    private partial void LogNoOrders(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Inventory did not answer the stock check: {Reason}")]
    private partial void LogUnknown(string reason);
}

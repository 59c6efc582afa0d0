using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Answers;

/// <summary>Answers a repeated request to place an order with the order's current state.</summary>
internal sealed class Replays(EarlierOrders earlier, OrderReader reader, OrderWaiters waiters)
{
    /// <summary>Null when no committed order has the key. A different request with the same key is refused.</summary>
    public async Task<Results<Created<OrderView>, ProblemHttpResult>?> FindAsync(
        string caller, Guid customerId, string key, RequestFingerprint fingerprint, HttpContext http, CancellationToken cancellationToken)
    {
        if (await earlier.FindAsync(caller, key, cancellationToken) is not { } found)
        {
            return null;
        }

        // Empty for an erased customer: the key still identifies its order, but requests can no longer be compared.
        if (found.Fingerprint.Length > 0 && !fingerprint.Is(found.Fingerprint))
        {
            return IdempotentCreate.Reused();
        }

        // The refusal that this answer replaces may have set it.
        http.Response.Headers.RetryAfter = default;
        var order = await waiters.WaitAsync(http, found.OrderId, cancellationToken) ?? await reader.FindAsync(found.OrderId, cancellationToken);
        if (order!.CustomerId != customerId)
        {
            // A caller who orders for several customers has used an erased customer's key for another customer.
            return IdempotentCreate.Reused();
        }

        http.Response.Headers[IdempotentCreate.ReplayedHeader] = "true";
        return order.ToCreated(http);
    }
}

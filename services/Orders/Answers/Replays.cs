using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Answers;

/// <summary>Answers a request to place an order that came before: the order as it is now.</summary>
internal sealed class Replays(EarlierOrders earlier, OrderReader reader, OrderWaiters waiters)
{
    /// <summary>Null when the key has made nothing that is committed. Another request with the same key is refused.</summary>
    public async Task<Results<Created<OrderView>, ProblemHttpResult>?> FindAsync(
        string caller, Guid customerId, string key, RequestFingerprint fingerprint, HttpContext http, CancellationToken cancellationToken)
    {
        if (await earlier.FindAsync(caller, key, cancellationToken) is not { } found)
        {
            return null;
        }

        // Of a customer who has been erased there is none any more, and the key still stands for its order.
        if (found.Fingerprint.Length > 0 && !fingerprint.Is(found.Fingerprint))
        {
            return IdempotentCreate.Reused();
        }

        // It may have been set for the refusal that this is the answer instead of.
        http.Response.Headers.RetryAfter = default;
        var order = await waiters.WaitAsync(http, found.OrderId, cancellationToken) ?? await reader.FindAsync(found.OrderId, cancellationToken);
        if (order!.CustomerId != customerId)
        {
            // A caller who orders for many has used the key of one who was erased for another.
            return IdempotentCreate.Reused();
        }

        http.Response.Headers[IdempotentCreate.ReplayedHeader] = "true";
        return order.ToCreated(http);
    }
}

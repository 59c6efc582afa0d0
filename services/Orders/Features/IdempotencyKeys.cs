using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Features;

/// <summary>The header and the answers of Idempotency-Key where it is required.</summary>
internal static class IdempotencyKeys
{
    /// <summary>The problem to answer, or null with the key.</summary>
    public static ProblemHttpResult? Read(HttpContext http, out string key)
    {
        var header = http.Request.Headers[IdempotentCreate.Header];
        key = header.ToString();
        if (header.Count == 0 || key.Length == 0)
        {
            return Problems.Of("idempotency-key-required", "Idempotency-Key is required.", StatusCodes.Status400BadRequest,
                "Send a new key with each new order, and the same key when you send the same order again.");
        }

        return header.Count == 1 && key.Length <= IdempotentCreate.MaxKeyLength && !key.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? null
            : Problems.MalformedRequest(IdempotentCreate.Header, $"One key of 1 to {IdempotentCreate.MaxKeyLength} printable ASCII characters is required.");
    }

    public static ProblemHttpResult Reused() => Problems.Of(
        "idempotency-key-reused", "The Idempotency-Key belongs to another request.", StatusCodes.Status422UnprocessableEntity,
        "The same key came with another body before. Use a new key for a new request.");

    public static ProblemHttpResult InFlight(HttpContext http)
    {
        http.Response.Headers.RetryAfter = "1";
        return Problems.Conflict("idempotency-in-flight", "A request with this Idempotency-Key is being worked on.",
            "Send it again a little later to get its answer.");
    }
}

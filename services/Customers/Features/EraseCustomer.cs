using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Customers.Data;
using OrderInventory.Customers.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers.Features;

internal static class EraseCustomer
{
    /// <summary>Erase a customer</summary>
    /// <remarks>
    /// Name, e-mail address, phone and addresses are deleted permanently; orders are kept, and open ones continue. The e-mail address may be used
    /// again. A second request gets 404, like every request for an erased customer. Publishes <c>customer.updated</c>.
    /// </remarks>
    public static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, CustomersDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var customer = await db.Customers.SingleOrDefaultAsync(c => c.Id == id, cancellationToken);
        if (customer is null)
        {
            return Problems.NotFound("customer", id);
        }

        if (ETags.CheckIfMatch(http, customer.Version) is { } mismatch)
        {
            return mismatch;
        }

        customer.Erase(time.GetStorableNow());
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.SaveChangedAsync(customer, cancellationToken) is { } refused)
        {
            return refused;
        }

        // A request's hash would let someone verify a guess of its contents. Without the hash the key still refers to this customer.
        var addresses = AddressesOf(id);
        await db.Set<IdempotencyKey>().Where(k => k.ResourceId == id || k.Caller.EndsWith(addresses))
            .ExecuteUpdateAsync(keys => keys.SetProperty(k => k.Fingerprint, Array.Empty<byte>()), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>The key space of Idempotency-Keys that add addresses to a customer; in the stored key it follows the caller's subject.</summary>
    public static string AddressesOf(Guid customer) => $"addresses of {customer}";
}

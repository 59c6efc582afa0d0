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
    /// Name, e-mail address, phone and addresses are gone for good; orders are kept, and open ones go on. The e-mail address may be used again.
    /// A second time the answer is 404, as for every erased customer. Publishes <c>customer.updated</c>.
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

        // The hash of a request lets one check a guess of what was in it. Without it the key still stands for this customer.
        var addresses = AddressesOf(id);
        await db.Set<IdempotencyKey>().Where(k => k.ResourceId == id || k.Caller.EndsWith(addresses))
            .ExecuteUpdateAsync(keys => keys.SetProperty(k => k.Fingerprint, Array.Empty<byte>()), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>The space of the Idempotency-Keys that have added addresses to a customer, behind the callers'.</summary>
    public static string AddressesOf(Guid customer) => $"addresses of {customer}";
}

using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Customers.Data;
using OrderInventory.Customers.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers.Features;

internal static class DeleteAddress
{
    /// <summary>Delete an address of a customer</summary>
    /// <remarks>
    /// If-Match and ETag are the customer's. When the address was the default, the oldest remaining one becomes the default. Orders keep their
    /// copies. Publishes <c>customer.updated</c>, without the address.
    /// </remarks>
    public static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        Guid id, Guid addressId, HttpContext http, CustomersDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var customer = await db.Customers.SingleOrDefaultAsync(c => c.Id == id, cancellationToken);
        if (customer is null)
        {
            return Problems.NotFound("customer", id);
        }

        if (customer.Addresses.Find(addressId) is null)
        {
            return Problems.NotFound("address", addressId);
        }

        if (ETags.CheckIfMatch(http, customer.Version) is { } mismatch)
        {
            return mismatch;
        }

        customer.ChangeAddresses(customer.Addresses.Without(addressId), time.GetStorableNow());
        if (await db.SaveChangedAsync(customer, cancellationToken) is { } refused)
        {
            return refused;
        }

        // A client that makes further changes needs the new version.
        ETags.Set(http, customer.Version);
        return TypedResults.NoContent();
    }
}

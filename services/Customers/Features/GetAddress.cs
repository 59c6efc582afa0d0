using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Customers.Data;
using OrderInventory.Customers.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers.Features;

internal static class GetAddress
{
    /// <summary>Read an address of a customer</summary>
    /// <remarks>The ETag is the customer's.</remarks>
    public static async Task<Results<Results<Ok<AddressResponse>, StatusCodeHttpResult>, ProblemHttpResult>> HandleAsync(
        Guid id, Guid addressId, HttpContext http, CustomersDb db, CancellationToken cancellationToken)
    {
        var customer = await db.Customers.AsNoTracking().SingleOrDefaultAsync(c => c.Id == id, cancellationToken);
        if (customer is null)
        {
            return Problems.NotFound("customer", id);
        }

        return customer.Addresses.Find(addressId) is { } address
            ? ETags.Ok(http, AddressResponse.Of(address), customer.Version)
            : Problems.NotFound("address", addressId);
    }
}

using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Customers.Data;
using OrderInventory.Customers.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers.Features;

internal static class ListAddresses
{
    /// <summary>List a customer's addresses, oldest first</summary>
    /// <remarks>All on one page: there are at most 20. The ETag is the customer's.</remarks>
    public static async Task<Results<Results<Ok<Page<AddressResponse>>, StatusCodeHttpResult>, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, CustomersDb db, CancellationToken cancellationToken)
    {
        var customer = await db.Customers.AsNoTracking().SingleOrDefaultAsync(c => c.Id == id, cancellationToken);
        return customer is null
            ? Problems.NotFound("customer", id)
            : ETags.Ok(http, new Page<AddressResponse>(AddressResponse.Of(customer.Addresses), null), customer.Version);
    }
}

using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Customers.Data;
using OrderInventory.Customers.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers.Features;

internal static class GetCustomer
{
    /// <summary>Read a customer</summary>
    /// <remarks>Always read from the database: an erased customer must not remain in a cache.</remarks>
    public static async Task<Results<Results<Ok<CustomerResponse>, StatusCodeHttpResult>, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, CustomersDb db, CancellationToken cancellationToken)
    {
        var customer = await db.Customers.AsNoTracking().Where(c => c.Id == id).Select(CustomerResponse.Projection).SingleOrDefaultAsync(cancellationToken);
        return customer is null ? Problems.NotFound("customer", id) : ETags.Ok(http, customer, customer.Version);
    }
}

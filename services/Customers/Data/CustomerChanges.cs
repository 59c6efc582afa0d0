using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Customers.Domain;
using OrderInventory.Customers.Features;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers.Data;

internal static class CustomerChanges
{
    /// <summary>
    /// Saves a changed customer with the event that tells of it. The problem is what to answer when somebody else was faster: 412 for
    /// another change, 404 for an erasure, 409 for the e-mail address.
    /// </summary>
    public static async Task<ProblemHttpResult?> SaveChangedAsync(this CustomersDb db, Customer customer, CancellationToken cancellationToken)
    {
        db.Add(CustomerEvents.Updated(customer));
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return null;
        }
        catch (DbUpdateConcurrencyException)
        {
            var current = await db.Customers.Where(c => c.Id == customer.Id).Select(c => (long?)c.Version).SingleOrDefaultAsync(cancellationToken);
            return current is null ? Problems.NotFound("customer", customer.Id) : Problems.PreconditionFailed(current.Value);
        }
        catch (DbUpdateException exception) when (exception.IsUniqueViolation(CustomersDb.EmailIndex))
        {
            return CustomerRules.EmailTaken();
        }
    }
}

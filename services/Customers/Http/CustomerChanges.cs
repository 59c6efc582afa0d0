using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Customers.Data;
using OrderInventory.Customers.Domain;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers.Http;

internal static class CustomerChanges
{
    /// <summary>
    /// Saves a changed customer together with its event. Returns null, or the problem to answer when another request was faster: 412 for another
    /// change, 404 for an erasure, 409 for the e-mail address.
    /// </summary>
    public static async Task<ProblemHttpResult?> SaveChangedAsync(this CustomersDb db, Customer customer, CancellationToken cancellationToken)
    {
        if (await db.IsEmailTakenAsync(customer, cancellationToken))
        {
            return CustomerRules.EmailTaken();
        }

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

    /// <summary>
    /// Checked first, although the unique index decides in the end: PostgreSQL writes the value of a rejected key to its own log, where an e-mail
    /// address must not appear.
    /// </summary>
    public static Task<bool> IsEmailTakenAsync(this CustomersDb db, Customer customer, CancellationToken cancellationToken) =>
        customer.EmailKey is { } key
            ? db.Customers.AnyAsync(c => c.EmailKey == key && c.Id != customer.Id, cancellationToken)
            : Task.FromResult(false);
}

using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Customers;
using OrderInventory.Customers.Data;
using OrderInventory.Customers.Domain;
using OrderInventory.Customers.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Customers.Features;

internal static class CreateCustomer
{
    /// <summary>A customer to create.</summary>
    /// <param name="Name">1 to 200 characters.</param>
    /// <param name="Email">No other customer may have it.</param>
    /// <param name="Phone">1 to 40 characters, as the customer writes it; in E.164 form when <c>channels.sms</c> is on.</param>
    /// <param name="Language">IETF language tag of the messages to the customer; <c>en</c> when left out.</param>
    /// <param name="Channels">How the customer wants to be notified; by e-mail only when left out.</param>
    [Example("""{"name": "Maria Anders", "email": "maria@example.com", "phone": "+49300074321", "language": "de", "channels": {"email": true, "sms": true, "webhook": false}}""")]
    public sealed record Request([property: MaxLength(200)] string Name, [property: MaxLength(254)] string Email, [property: MaxLength(40)] string? Phone = null, [property: MaxLength(35)] string? Language = null, ContactChannels? Channels = null);

    /// <summary>Create a customer</summary>
    /// <remarks>
    /// 409 <c>email-taken</c> when another customer has the e-mail address; upper and lower case do not matter. 422 <c>idempotency-key-reused</c>
    /// also when the Idempotency-Key created a customer who has been erased since; 404 while that customer is being erased. Publishes
    /// <c>customer.updated</c>.
    /// </remarks>
    public static async Task<Results<Created<CustomerResponse>, ProblemHttpResult>> HandleAsync(
        Request request, HttpContext http, Caller caller, CustomersDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var details = new CustomerDetails(
            request.Name, request.Email, request.Phone, request.Language ?? Customer.DefaultLanguage, request.Channels ?? Customer.DefaultChannels);
        if (CustomerRules.Check(details) is { } malformed)
        {
            return malformed;
        }

        var customer = Customer.Create(details, time.GetStorableNow());
        await using var create = await IdempotentCreate.BeginAsync(
            http, db, caller.Sub, WithoutDefaults(request), CustomersJson.Default.CreateRequest, customer.Id, cancellationToken);
        if (create.Problem is { } refused)
        {
            return refused;
        }

        if (create.Existing is { } existing)
        {
            var before = await db.Customers.AsNoTracking().Where(c => c.Id == existing).Select(CustomerResponse.Projection).SingleOrDefaultAsync(cancellationToken);
            return before is null ? Problems.NotFound("customer", existing) : Created(http, before);
        }

        if (await db.IsEmailTakenAsync(customer, cancellationToken))
        {
            return CustomerRules.EmailTaken();
        }

        db.Add(customer);
        db.Add(CustomerEvents.Updated(customer));
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException exception) when (exception.IsUniqueViolation(CustomersDb.EmailIndex))
        {
            return CustomerRules.EmailTaken();
        }

        await create.CommitAsync(cancellationToken);
        return Created(http, CustomerResponse.Of(customer));
    }

    /// <summary>Removes stated defaults: a request that states a default is the same as one that leaves it out.</summary>
    private static Request WithoutDefaults(Request request) => request with
    {
        Language = request.Language == Customer.DefaultLanguage ? null : request.Language,
        Channels = request.Channels == Customer.DefaultChannels ? null : request.Channels,
    };

    private static Created<CustomerResponse> Created(HttpContext http, CustomerResponse customer)
    {
        ETags.Set(http, customer.Version);
        return TypedResults.Created($"/api/customers/{customer.Id}", customer);
    }
}

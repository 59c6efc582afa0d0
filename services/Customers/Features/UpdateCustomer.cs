using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Customers;
using OrderInventory.Customers.Data;
using OrderInventory.Customers.Domain;
using OrderInventory.Customers.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers.Features;

internal static class UpdateCustomer
{
    /// <summary>The customer's new details.</summary>
    /// <param name="Name">1 to 200 characters.</param>
    /// <param name="Email">No other customer may have it.</param>
    /// <param name="Phone">1 to 40 characters, in E.164 form when <c>channels.sms</c> is on; none when left out.</param>
    /// <param name="Language">IETF language tag of the messages to the customer; unchanged when left out.</param>
    /// <param name="Channels">How the customer wants to be notified; unchanged when left out.</param>
    [Example("""{"name": "Maria Anders", "email": "maria.anders@example.com", "phone": "+49300074321"}""")]
    public sealed record Request([property: MaxLength(200)] string Name, [property: MaxLength(254)] string Email, [property: MaxLength(40)] string? Phone = null, [property: MaxLength(35)] string? Language = null, ContactChannels? Channels = null);

    /// <summary>Replace a customer's details</summary>
    /// <remarks>A replacement that changes nothing keeps the version. Publishes <c>customer.updated</c>.</remarks>
    public static async Task<Results<Ok<CustomerResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, Request request, HttpContext http, CustomersDb db, TimeProvider time, CancellationToken cancellationToken)
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

        var details = new CustomerDetails(
            request.Name, request.Email, request.Phone, request.Language ?? customer.Language, request.Channels ?? customer.Channels);
        if (CustomerRules.Check(details) is { } malformed)
        {
            return malformed;
        }

        if (customer.Change(details, time.GetStorableNow()) && await db.SaveChangedAsync(customer, cancellationToken) is { } refused)
        {
            return refused;
        }

        ETags.Set(http, customer.Version);
        return TypedResults.Ok(CustomerResponse.Of(customer));
    }
}

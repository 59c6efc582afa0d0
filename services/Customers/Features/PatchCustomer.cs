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

internal static class PatchCustomer
{
    /// <summary>The members that can be patched; a member that is left out does not change.</summary>
    /// <param name="Name">1 to 200 characters.</param>
    /// <param name="Email">No other customer may have it.</param>
    /// <param name="Language">IETF language tag of the messages to the customer.</param>
    /// <param name="Channels">How the customer wants to be notified; a single channel may be given.</param>
    /// <param name="Phone">1 to 40 characters, in E.164 form when <c>channels.sms</c> is on; null removes it.</param>
    public sealed record Document([property: MaxLength(200)] string Name, [property: MaxLength(254)] string Email, [property: MaxLength(35)] string Language, ContactChannels Channels, [property: MaxLength(40)] string? Phone = null);

    /// <summary>Change parts of a customer</summary>
    /// <remarks>JSON Merge Patch (RFC 7396). A patch that changes nothing keeps the version. Publishes <c>customer.updated</c>.</remarks>
    public static async Task<Results<Ok<CustomerResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, MergePatch<Document> patch, HttpContext http, CustomersDb db, TimeProvider time, CancellationToken cancellationToken)
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

        var patched = patch.ApplyTo(new(customer.Name!, customer.Email!, customer.Language, customer.Channels, customer.Phone));
        var details = new CustomerDetails(patched.Name, patched.Email, patched.Phone, patched.Language, patched.Channels);
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

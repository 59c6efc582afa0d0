using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Customers.Data;
using OrderInventory.Customers.Domain;
using OrderInventory.Customers.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers.Features;

internal static class UpdateAddress
{
    /// <summary>The new address.</summary>
    /// <param name="Line1">Street and number: 1 to 200 characters.</param>
    /// <param name="City">1 to 100 characters.</param>
    /// <param name="Country">ISO 3166-1 alpha-2 code, upper case.</param>
    /// <param name="Label">What the customer calls it: up to 50 characters; none when left out.</param>
    /// <param name="Name">The recipient, if not the customer: up to 200 characters; none when left out.</param>
    /// <param name="Line2">Up to 200 characters; none when left out.</param>
    /// <param name="PostalCode">Up to 20 characters; none when left out.</param>
    /// <param name="Region">Up to 100 characters; none when left out.</param>
    /// <param name="Default">True makes it the default instead of the previous one; otherwise the default does not change.</param>
    [Example("""{"label": "office", "line1": "Obere Str. 58", "postalCode": "12209", "city": "Berlin", "country": "DE", "default": true}""")]
    public sealed record Request(
        [property: MaxLength(200)] string Line1, [property: MaxLength(100)] string City, [property: MaxLength(2)] string Country, [property: MaxLength(50)] string? Label = null, [property: MaxLength(200)] string? Name = null, [property: MaxLength(200)] string? Line2 = null, [property: MaxLength(20)] string? PostalCode = null,
        [property: MaxLength(100)] string? Region = null, bool Default = false)
    {
        internal AddressDetails Details => new(Label, Name, Line1, Line2, PostalCode, City, Region, Country);
    }

    /// <summary>Replace an address of a customer</summary>
    /// <remarks>
    /// If-Match and ETag are the customer's. A replacement that changes nothing keeps the version. Publishes <c>customer.updated</c>,
    /// without the address.
    /// </remarks>
    public static async Task<Results<Ok<AddressResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, Guid addressId, Request request, HttpContext http, CustomersDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (AddressRules.Check(request.Details) is { } malformed)
        {
            return malformed;
        }

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

        var book = customer.Addresses.Replace(Address.Of(addressId, request.Details, request.Default));
        if (customer.ChangeAddresses(book, time.GetStorableNow()) && await db.SaveChangedAsync(customer, cancellationToken) is { } refused)
        {
            return refused;
        }

        ETags.Set(http, customer.Version);
        return TypedResults.Ok(AddressResponse.Of(customer.Addresses.Find(addressId)!));
    }
}

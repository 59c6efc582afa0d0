using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Customers.Data;
using OrderInventory.Customers.Domain;
using OrderInventory.Customers.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Customers.Features;

internal static class AddAddress
{
    /// <summary>An address to add.</summary>
    /// <param name="Line1">Street and number: 1 to 200 characters.</param>
    /// <param name="City">1 to 100 characters.</param>
    /// <param name="Country">ISO 3166-1 alpha-2 code, upper case.</param>
    /// <param name="Label">What the customer calls it: up to 50 characters.</param>
    /// <param name="Name">The recipient, if not the customer: up to 200 characters.</param>
    /// <param name="Line2">Up to 200 characters.</param>
    /// <param name="PostalCode">Up to 20 characters.</param>
    /// <param name="Region">Up to 100 characters.</param>
    /// <param name="Default">True makes it the default instead of the previous one. The first address is always the default.</param>
    [Example("""{"label": "home", "line1": "Obere Str. 57", "postalCode": "12209", "city": "Berlin", "country": "DE"}""")]
    public sealed record Request(
        [property: MaxLength(200)] string Line1, [property: MaxLength(100)] string City, [property: MaxLength(2)] string Country, [property: MaxLength(50)] string? Label = null, [property: MaxLength(200)] string? Name = null, [property: MaxLength(200)] string? Line2 = null, [property: MaxLength(20)] string? PostalCode = null,
        [property: MaxLength(100)] string? Region = null, bool Default = false)
    {
        internal AddressDetails Details => new(Label, Name, Line1, Line2, PostalCode, City, Region, Country);
    }

    /// <summary>Add an address to a customer</summary>
    /// <remarks>
    /// The ETag is the customer's; adding an address increases the customer's version. If-Match is optional. 409 <c>too-many-addresses</c> beyond
    /// 20. Publishes <c>customer.updated</c>, without the address.
    /// </remarks>
    public static async Task<Results<Created<AddressResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, Request request, HttpContext http, Caller caller, CustomersDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (AddressRules.Check(request.Details) is { } malformed)
        {
            return malformed;
        }

        var now = time.GetStorableNow();
        var address = Address.Of(Guid.CreateVersion7(now), request.Details, request.Default);
        // The key space contains the customer's id, so that erasing the customer finds the key even after the address was deleted.
        await using var create = await IdempotentCreate.BeginAsync(
            http, db, caller.KeysOf(EraseCustomer.AddressesOf(id)), request, CustomersJson.Default.AddAddressRequest, address.Id, cancellationToken);
        if (create.Problem is { } refused)
        {
            return refused;
        }

        // Without If-Match there is no version to compare, so this lock serializes concurrent requests.
        await db.Database.ExecuteSqlAsync($"SELECT FROM customers WHERE id = {id} FOR UPDATE", cancellationToken);
        var customer = await db.Customers.SingleOrDefaultAsync(c => c.Id == id, cancellationToken);
        if (customer is null)
        {
            return Problems.NotFound("customer", id);
        }

        if (create.Existing is { } existing)
        {
            return customer.Addresses.Find(existing) is { } before ? Created(http, customer, before) : Problems.NotFound("address", existing);
        }

        if (ETags.CheckIfMatch(http, customer.Version, required: false) is { } mismatch)
        {
            return mismatch;
        }

        if (customer.Addresses.IsFull)
        {
            return AddressRules.TooMany();
        }

        customer.ChangeAddresses(customer.Addresses.With(address), now);
        if (await db.SaveChangedAsync(customer, cancellationToken) is { } conflict)
        {
            return conflict;
        }

        await create.CommitAsync(cancellationToken);
        return Created(http, customer, customer.Addresses.Find(address.Id)!);
    }

    private static Created<AddressResponse> Created(HttpContext http, Customer customer, Address address)
    {
        ETags.Set(http, customer.Version);
        return TypedResults.Created($"/api/customers/{customer.Id}/addresses/{address.Id}", AddressResponse.Of(address));
    }
}

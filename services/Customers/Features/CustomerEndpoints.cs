using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers.Features;

internal static class CustomerEndpoints
{
    /// <summary>The HTTP API of the service.</summary>
    public static void MapCustomers(this IEndpointRouteBuilder routes)
    {
        var customers = routes.MapGroup("/api/customers").WithTags("Customers");

        customers.MapPost("/", CreateCustomer.HandleAsync).WithIdempotencyKey().WithProblems(404, 409, 503);
        customers.MapGet("/", ListCustomers.HandleAsync).WithProblems(503);
        customers.MapGet("/{id:guid}", GetCustomer.HandleAsync).WithETag().WithProblems(404, 503);
        customers.MapPut("/{id:guid}", UpdateCustomer.HandleAsync).WithIfMatch().WithProblems(404, 409, 503);
        customers.MapPatch("/{id:guid}", PatchCustomer.HandleAsync).WithIfMatch().WithProblems(404, 409, 503);
        customers.MapDelete("/{id:guid}", EraseCustomer.HandleAsync).WithIfMatch().WithProblems(404, 503);

        customers.MapPost("/{id:guid}/addresses", AddAddress.HandleAsync).WithIdempotencyKey().WithOptionalIfMatch().WithProblems(404, 409, 503);
        customers.MapGet("/{id:guid}/addresses", ListAddresses.HandleAsync).WithETag().WithProblems(404, 503);
        customers.MapGet("/{id:guid}/addresses/{addressId:guid}", GetAddress.HandleAsync).WithETag().WithProblems(404, 503);
        customers.MapPut("/{id:guid}/addresses/{addressId:guid}", UpdateAddress.HandleAsync).WithIfMatch().WithProblems(404, 503);
        customers.MapDelete("/{id:guid}/addresses/{addressId:guid}", DeleteAddress.HandleAsync).WithIfMatch().WithProblems(404, 503);
    }
}

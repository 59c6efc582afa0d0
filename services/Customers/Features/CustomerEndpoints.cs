using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Customers.Features;

internal static class CustomerEndpoints
{
    /// <summary>The HTTP API of the service.</summary>
    public static void MapCustomers(this IEndpointRouteBuilder routes)
    {
        var customers = routes.MapGroup("/api/customers").WithTags("Customers");

        customers.MapPost("/", CreateCustomer.HandleAsync).For(Policies.CreateCustomers).WithIdempotencyKey().WithProblems(404, 409, 503);
        customers.MapGet("/", ListCustomers.HandleAsync).For(Policies.FindCustomers).WithProblems(503);

        var record = customers.MapGroup("/{id:guid}").For(Policies.CustomerRecord).OnlyOf("id");
        record.MapGet("", GetCustomer.HandleAsync).WithETag().WithProblems(404, 503);
        record.MapPut("", UpdateCustomer.HandleAsync).WithIfMatch().WithProblems(404, 409, 503);
        record.MapPatch("", PatchCustomer.HandleAsync).WithIfMatch().WithProblems(404, 409, 503);
        record.MapDelete("", EraseCustomer.HandleAsync).WithIfMatch().WithProblems(404, 503);

        record.MapPost("/addresses", AddAddress.HandleAsync).WithIdempotencyKey().WithOptionalIfMatch().WithProblems(404, 409, 503);
        record.MapGet("/addresses", ListAddresses.HandleAsync).WithETag().WithProblems(404, 503);
        record.MapGet("/addresses/{addressId:guid}", GetAddress.HandleAsync).WithETag().WithProblems(404, 503);
        record.MapPut("/addresses/{addressId:guid}", UpdateAddress.HandleAsync).WithIfMatch().WithProblems(404, 503);
        record.MapDelete("/addresses/{addressId:guid}", DeleteAddress.HandleAsync).WithIfMatch().WithProblems(404, 503);
    }
}

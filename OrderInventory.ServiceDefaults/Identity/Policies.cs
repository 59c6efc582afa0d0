using System.Collections.Frozen;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.ServiceDefaults.Identity;

/// <summary>Who may call an endpoint.</summary>
/// <param name="Name">Stands in the endpoint's metadata, and in a route of the gateway.</param>
/// <param name="Roles">Any of them is enough. The audit names the first that the caller has, so the widest come first.</param>
public sealed record Policy(string Name, params string[] Roles)
{
    /// <summary>A customer is among them, and sees only what is their own: <see cref="Caller.OnlyCustomer"/>.</summary>
    public bool IsForCustomers => Roles.Contains(Identity.Roles.Customer);
}

/// <summary>
/// Every policy of the system. An endpoint has one of them or is open to all by name (<c>AllowAnonymous</c>); one that has neither keeps its
/// service from starting (<see cref="PolicyCheck"/>). docs/security.md shows what comes of it, endpoint by endpoint.
/// </summary>
public static class Policies
{
    /// <summary>Whoever may come through the gateway: everybody but a service. The service behind it looks closer.</summary>
    public static readonly Policy ThroughTheGateway = new(
        "through-the-gateway", Roles.Admin, Roles.Support, Roles.InventoryManager, Roles.CatalogManager, Roles.Customer);

    /// <summary>The pages of the console. What each of them asks of the API has a policy of its own.</summary>
    public static readonly Policy UseConsole = new("use-console", Roles.Admin, Roles.Support, Roles.InventoryManager, Roles.CatalogManager);

    /// <summary>What one service asks of another, and nobody else.</summary>
    public static readonly Policy BetweenServices = new("between-services", Roles.Service);

    /// <summary>Webhooks, templates and staff.</summary>
    public static readonly Policy Administer = new("administer", Roles.Admin);

    public static readonly Policy ReadDeadLetters = new("read-dead-letters", Roles.Admin, Roles.Support);

    public static readonly Policy HandleDeadLetters = new("handle-dead-letters", Roles.Admin);

    public static readonly Policy ReadProducts = new(
        "read-products", Roles.Admin, Roles.CatalogManager, Roles.InventoryManager, Roles.Support, Roles.Service, Roles.Customer);

    public static readonly Policy ManageProducts = new("manage-products", Roles.Admin, Roles.CatalogManager);

    /// <summary>Lists of customers, by name or address.</summary>
    public static readonly Policy FindCustomers = new("find-customers", Roles.Admin, Roles.Support, Roles.Service);

    public static readonly Policy CreateCustomers = new("create-customers", Roles.Admin, Roles.Support);

    /// <summary>One customer's record and addresses: to read, change and erase.</summary>
    public static readonly Policy CustomerRecord = new("customer-record", Roles.Admin, Roles.Support, Roles.Customer);

    /// <summary>Levels of stock. A customer sees what is available, and no other number.</summary>
    public static readonly Policy ReadStock = new(
        "read-stock", Roles.Admin, Roles.InventoryManager, Roles.CatalogManager, Roles.Support, Roles.Service, Roles.Customer);

    public static readonly Policy ManageStock = new("manage-stock", Roles.Admin, Roles.InventoryManager);

    public static readonly Policy Holds = new("holds", Roles.Admin, Roles.InventoryManager, Roles.Customer);

    public static readonly Policy ReadReservations = new("read-reservations", Roles.Admin, Roles.InventoryManager, Roles.Support, Roles.Service);

    public static readonly Policy ReadOrders = new(
        "read-orders", Roles.Admin, Roles.Support, Roles.InventoryManager, Roles.Service, Roles.Customer);

    /// <summary>To place, revise and cancel.</summary>
    public static readonly Policy ChangeOrders = new("change-orders", Roles.Admin, Roles.Support, Roles.Customer);

    /// <summary>To ship, deliver and take back.</summary>
    public static readonly Policy FulfilOrders = new("fulfil-orders", Roles.Admin, Roles.InventoryManager);

    public static readonly Policy ReadNotifications = new("read-notifications", Roles.Admin, Roles.Support, Roles.Service, Roles.Customer);

    public static readonly Policy ResendNotifications = new("resend-notifications", Roles.Admin, Roles.Support);

    /// <summary>Numbers and sums of all orders.</summary>
    public static readonly Policy CountOrders = new("count-orders", Roles.Admin, Roles.Support, Roles.InventoryManager);

    public static readonly Policy CountNotifications = new("count-notifications", Roles.Admin, Roles.Support);

    /// <summary>Changes as they happen, of what the role may read.</summary>
    public static readonly Policy FollowChanges = new(
        "follow-changes", Roles.Admin, Roles.Support, Roles.InventoryManager, Roles.CatalogManager, Roles.Customer);

    private static readonly FrozenDictionary<string, Policy> s_all = new[]
    {
        ThroughTheGateway, UseConsole, BetweenServices, Administer, ReadDeadLetters, HandleDeadLetters, ReadProducts, ManageProducts, FindCustomers,
        CreateCustomers, CustomerRecord, ReadStock, ManageStock, Holds, ReadReservations, ReadOrders, ChangeOrders, FulfilOrders,
        ReadNotifications, ResendNotifications, CountOrders, CountNotifications, FollowChanges,
    }.ToFrozenDictionary(policy => policy.Name);

    public static IEnumerable<Policy> All => s_all.Values;

    /// <summary>Lets only those in that <paramref name="policy"/> names; on a group it holds for each of its endpoints.</summary>
    public static TBuilder For<TBuilder>(this TBuilder endpoint, Policy policy)
        where TBuilder : IEndpointConventionBuilder => endpoint.RequireAuthorization(policy.Name);

    /// <summary>
    /// What is below a customer's path is that customer's: to another one it is as if it were not there. Whether it is there makes no difference, for nobody
    /// looks; staff are let through.
    /// </summary>
    /// <param name="endpoint">An endpoint, or a group.</param>
    /// <param name="parameter">The part of the route that names the customer.</param>
    public static TBuilder OnlyOf<TBuilder>(this TBuilder endpoint, string parameter)
        where TBuilder : IEndpointConventionBuilder => endpoint.AddEndpointFilter(async (context, next) =>
        {
            var caller = await Caller.BindAsync(context.HttpContext);
            return context.HttpContext.GetRouteValue(parameter) is string text && Guid.TryParse(text, out var customer) && caller.MaySee(customer)
                ? await next(context)
                : Problems.NotFound("customer", Guid.Parse((string)context.HttpContext.GetRouteValue(parameter)!));
        });

    /// <summary>The policy of an endpoint, its own before that of its group; null when it has none.</summary>
    public static Policy? Of(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IAuthorizeData>()?.Policy is { } name ? s_all.GetValueOrDefault(name) : null;
}

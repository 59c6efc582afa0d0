using System.Collections.Frozen;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.ServiceDefaults.Identity;

/// <summary>Who may call an endpoint.</summary>
/// <param name="Name">Used in the endpoint's metadata and in routes of the gateway.</param>
/// <param name="Roles">Any of them is enough. The audit names the first one that the caller has, so the widest come first.</param>
public sealed record Policy(string Name, params string[] Roles)
{
    /// <summary>Whether customers may call; they see only their own data: <see cref="Caller.OnlyCustomer"/>.</summary>
    public bool IsForCustomers => Roles.Contains(Identity.Roles.Customer);

    /// <summary>
    /// Whether the caller of another endpoint may have this too. A service that asks another one for a caller checks it, because it asks with its own
    /// token, and the other service cannot know for whom.
    /// </summary>
    public bool Admits(Caller caller) => Roles.Contains(caller.Role);
}

/// <summary>
/// All policies of the system. An endpoint has one of them or is explicitly open to all (<c>AllowAnonymous</c>); an endpoint with neither keeps its
/// service from starting (<see cref="PolicyCheck"/>). docs/security.md lists the result for each endpoint.
/// </summary>
public static class Policies
{
    /// <summary>Callers that the gateway lets through: all roles except services. The service behind it checks its own policy.</summary>
    public static readonly Policy ThroughTheGateway = new(
        "through-the-gateway", Roles.Admin, Roles.Support, Roles.InventoryManager, Roles.CatalogManager, Roles.Customer);

    /// <summary>The pages of the console. The API calls that a page makes have their own policies.</summary>
    public static readonly Policy UseConsole = new("use-console", Roles.Admin, Roles.Support, Roles.InventoryManager, Roles.CatalogManager);

    /// <summary>Calls between services only.</summary>
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

    /// <summary>Stock levels. A customer sees only the available quantity.</summary>
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

    /// <summary>Counts and totals over all orders.</summary>
    public static readonly Policy CountOrders = new("count-orders", Roles.Admin, Roles.Support, Roles.InventoryManager);

    public static readonly Policy CountNotifications = new("count-notifications", Roles.Admin, Roles.Support);

    /// <summary>The live stream of changes to data that the role may read.</summary>
    public static readonly Policy FollowChanges = new(
        "follow-changes", Roles.Admin, Roles.Support, Roles.InventoryManager, Roles.CatalogManager, Roles.Customer);

    private static readonly FrozenDictionary<string, Policy> s_all = new[]
    {
        ThroughTheGateway, UseConsole, BetweenServices, Administer, ReadDeadLetters, HandleDeadLetters, ReadProducts, ManageProducts, FindCustomers,
        CreateCustomers, CustomerRecord, ReadStock, ManageStock, Holds, ReadReservations, ReadOrders, ChangeOrders, FulfilOrders,
        ReadNotifications, ResendNotifications, CountOrders, CountNotifications, FollowChanges,
    }.ToFrozenDictionary(policy => policy.Name);

    public static IEnumerable<Policy> All => s_all.Values;

    /// <summary>Admits only callers that <paramref name="policy"/> permits; on a group it applies to each endpoint.</summary>
    public static TBuilder For<TBuilder>(this TBuilder endpoint, Policy policy)
        where TBuilder : IEndpointConventionBuilder => endpoint.RequireAuthorization(policy.Name);

    /// <summary>
    /// Restricts everything below a customer's path to that customer: another customer gets 404, without a check whether the resource exists. Staff
    /// are admitted.
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

    /// <summary>The policy of an endpoint; its own takes precedence over its group's. Null when it has none.</summary>
    public static Policy? Of(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IAuthorizeData>()?.Policy is { } name ? s_all.GetValueOrDefault(name) : null;
}

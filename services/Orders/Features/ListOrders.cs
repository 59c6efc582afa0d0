using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Clients;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Orders.Features;

/// <summary>Orders by text, customer, product, status, location of the goods and time of placement.</summary>
internal static class ListOrders
{
    private static readonly Paging s_paging = new("orders");

    private const int MaxText = 200;

    /// <summary>Fewer digits of an id would match orders of many days.</summary>
    private const int MinIdDigits = 6;

    /// <summary>How often Inventory is queried for 100 orders at a location before the page is returned with what was found.</summary>
    private const int MaxQueries = 5;

    /// <param name="Items">The orders.</param>
    /// <param name="Next">The cursor of the next page, or null on the last.</param>
    /// <param name="Missing">Services needed for the text that did not answer, so that orders may be missing; left out when there are none.</param>
    public sealed record Response(
        IReadOnlyList<OrderView> Items, string? Next, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Missing);

    /// <summary>List orders, newest first</summary>
    /// <remarks>
    /// All filters given must match. With <c>location</c>, a page may have fewer items than <c>limit</c> although there is a next page, because
    /// each request examines a limited number of orders. A customer sees only their own orders; a filter for another customer's orders is 404,
    /// and <c>location</c> is 403 for a customer.
    /// </remarks>
    /// <param name="q">
    /// Finds orders whose id begins with this text (6 digits or more), whose tracking number equals it, which have a product whose SKU begins with
    /// it (the first 20 by SKU; the product's current SKU, which may differ from the one in the order), or, for roles that may list customers, whose
    /// customer's name, e-mail, phone or city contains it (the first 100 customers). Up to 200 characters; case does not matter.
    /// </param>
    /// <param name="customerId">Orders of this customer.</param>
    /// <param name="productId">Orders with a line of this product.</param>
    /// <param name="status">Orders in one of these states, separated by commas: pending, confirmed, rejected, expired, revisionPending, cancelPending, cancelled, shipped, delivered.</param>
    /// <param name="location">Orders that hold stock at the location of this code, or were shipped from there.</param>
    /// <param name="placedFrom">Placed then or later.</param>
    /// <param name="placedTo">Placed before.</param>
    /// <param name="sort">-placedAt (newest first, the default) or placedAt.</param>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page, for the same filters and sort.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="http">The request.</param>
    /// <param name="database">The database.</param>
    /// <param name="search">Finds the ids.</param>
    /// <param name="customers">Searched for the text.</param>
    /// <param name="inventory">Queried for the location.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        string? q, Guid? customerId, Guid? productId, string? status, string? location, DateTimeOffset? placedFrom, DateTimeOffset? placedTo, string? sort,
        int? limit, string? cursor,
        Caller caller, HttpContext http, OrdersDb database, OrderSearch search, CustomersClient customers, InventoryClient inventory, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } problem)
        {
            return problem;
        }

        if (EnumList.Read<OrderStatus>(status, "status", out var statuses) is { } unknown)
        {
            return unknown;
        }

        if (sort is not (null or "placedAt" or "-placedAt"))
        {
            return Problems.MalformedRequest("sort", "placedAt or -placedAt is required.");
        }

        if (customerId is { } requested && !caller.MaySee(requested))
        {
            return Problems.NotFound("customer", requested);
        }

        if (location is not null && caller.OnlyCustomer is not null)
        {
            return Problems.Of("not-permitted", "Only staff may filter by location.", StatusCodes.Status403Forbidden);
        }

        q = q?.Trim();
        if (q is not null && (TextRules.CountOf(q) > MaxText || TextRules.HasControls(q)))
        {
            return Problems.MalformedRequest("q", $"At most {MaxText} characters are allowed, and no control characters.");
        }

        OrderText? text = null;
        IReadOnlyList<string>? missing = null;
        if (q is { Length: > 0 })
        {
            // For other roles, whether an order is found would tell letter by letter what its customer's e-mail and phone are.
            var found = Policies.FindCustomers.Admits(caller) ? await customers.SearchAsync(q, cancellationToken) : [];
            missing = found is null ? ["customers"] : null;
            text = new(q, IdsThatBeginWith(q), found ?? []);
        }

        var filter = new OrderFilter(caller.OnlyCustomer ?? customerId, productId, statuses, placedFrom, placedTo, after, OldestFirst: sort == "placedAt");
        if (location is null)
        {
            var ids = await search.FindAsync(filter, text, take + 1, cancellationToken);
            var page = s_paging.ToPage(await ReadAsync(database, ids, cancellationToken), take, order => order.Id);
            return TypedResults.Ok(new Response(page.Items, page.Next, missing));
        }

        var here = new List<Guid>();
        for (var queries = 0; here.Count <= take; queries++)
        {
            if (await inventory.OrdersAtAsync(location, after, filter.OldestFirst, cancellationToken) is not { } atLocation)
            {
                return Problems.Unavailable(http, "Inventory");
            }

            if (atLocation.Orders.Count > 0)
            {
                here.AddRange(await search.FindAsync(filter with { Among = [.. atLocation.Orders] }, text, take + 1 - here.Count, cancellationToken));
            }

            if (atLocation.Last is null)
            {
                break;
            }

            after = atLocation.Last;
            if (queries + 1 == MaxQueries && here.Count <= take)
            {
                return TypedResults.Ok(new Response(await ReadAsync(database, here, cancellationToken), s_paging.CursorOf(atLocation.Last.Value), missing));
            }
        }

        var shown = s_paging.ToPage(await ReadAsync(database, here, cancellationToken), take, order => order.Id);
        return TypedResults.Ok(new Response(shown.Items, shown.Next, missing));
    }

    private static async Task<List<OrderView>> ReadAsync(OrdersDb database, List<Guid> ids, CancellationToken cancellationToken)
    {
        var orders = await database.Orders.AsNoTracking().Include(o => o.Items).Where(o => ids.Contains(o.Id)).ToDictionaryAsync(o => o.Id, cancellationToken);
        return [.. ids.Where(orders.ContainsKey).Select(id => OrderView.Of(orders[id]))];
    }

    /// <summary>The range of ids that begin with the text; null when it cannot be the beginning of an id.</summary>
    private static (Guid First, Guid Last)? IdsThatBeginWith(string text)
    {
        var digits = text.Replace("-", "", StringComparison.Ordinal);
        return digits.Length is >= MinIdDigits and <= 32 && digits.All(char.IsAsciiHexDigit)
            ? (Guid.ParseExact(digits.PadRight(32, '0'), "N"), Guid.ParseExact(digits.PadRight(32, 'f'), "N"))
            : null;
    }
}

using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

/// <summary>Lists holds.</summary>
internal static class ListHolds
{
    private static readonly Paging s_paging = new("holds");

    /// <summary>List holds, newest first</summary>
    /// <remarks>A customer sees only their own holds.</remarks>
    /// <param name="status">Holds in this state.</param>
    /// <param name="productId">Holds that have units of this product now.</param>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page.</param>
    /// <param name="caller">The caller.</param>
    /// <param name="database">The database.</param>
    /// <param name="cancellationToken">Cancelled when the request ends.</param>
    public static async Task<Results<Ok<Page<HoldResponse>>, ProblemHttpResult>> HandleAsync(
        HoldStatus? status, Guid? productId, int? limit, string? cursor, Caller caller, InventoryDb database, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } problem)
        {
            return problem;
        }

        var holds = database.HoldsWithStatus();
        holds = caller.OnlyCustomer is { } own ? holds.Where(h => h.CustomerId == own) : holds;
        holds = status is null ? holds : holds.Where(h => h.Status == status);
        holds = productId is null ? holds : holds.Where(h => database.Set<HoldLineRow>().Any(l => l.HoldId == h.Id && l.ProductId == productId));
        holds = after is null ? holds : holds.Where(h => h.Id < after);
        var page = await holds.OrderByDescending(h => h.Id).Take(take + 1).ToListAsync(cancellationToken);
        return TypedResults.Ok(s_paging.ToPage([.. page.Select(HoldResponse.Of)], take, hold => hold.Id));
    }
}

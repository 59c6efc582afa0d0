using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Features;

internal static class ExtendHold
{
    /// <param name="TtlSeconds">For how long from now on; at most a day. Less than is left changes nothing.</param>
    [Example("""{"ttlSeconds": 3600}""")]
    public sealed record Request(int TtlSeconds = HoldRules.DefaultTtl);

    /// <summary>Keep a hold for longer</summary>
    /// <remarks>409 <c>hold-ended</c> when its time is over; 409 <c>hold-lifetime-exceeded</c>, and nothing changes, when it would last longer after it was
    /// made than <c>Inventory:MaxHoldLifetime</c> (24 hours) allows: <c>latestExpiresAt</c> says until when it may. If-Match is honoured when sent.</remarks>
    public static async Task<Results<Ok<HoldResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, Request request, HttpContext http, Caller caller, InventoryDb database, InventoryOptions options, CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        HoldRules.CheckTtl(errors, request.TtlSeconds, options.MaxHoldLifetime);
        if (errors.Any)
        {
            return errors.Malformed();
        }

        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        // Lock first, look afterwards: whoever takes units back from a hold that is due locks it too, and does not change its row.
        var row = await database.Holds.FromSql($"SELECT * FROM holds WHERE id = {id} FOR UPDATE").AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        if (row is null || !caller.MaySee(row.CustomerId))
        {
            return Problems.NotFound("hold", id);
        }

        if (ETags.CheckIfMatch(http, row.Version, required: false) is { } precondition)
        {
            return precondition;
        }

        var ttl = TimeSpan.FromSeconds(request.TtlSeconds);
        var latest = row.CreatedAt + options.MaxHoldLifetime;
        if (row.Status == HoldStatus.Live && await IsBeyondAsync(database, row.ExpiresAt, ttl, latest, cancellationToken))
        {
            return Problems.Conflict(
                "hold-lifetime-exceeded", "The hold would last too long.", $"It may be kept until {latest:O}. Nothing was changed.", ("latestExpiresAt", latest));
        }

        var extended = row.Status == HoldStatus.Live && await database.Database.ExecuteSqlAsync(
            $"""
             UPDATE holds SET expires_at = greatest(expires_at, clock_timestamp() + {ttl}), version = version + 1, updated_at = greatest(updated_at, clock_timestamp())
             WHERE id = {id} AND expires_at > clock_timestamp()
             """, cancellationToken) == 1;
        if (!extended)
        {
            return HoldRules.Ended(row.Status);
        }

        await transaction.CommitAsync(cancellationToken);
        return await database.AnswerHoldAsync(http, id, TypedResults.Ok, cancellationToken);
    }

    /// <summary>By the clock that ends it. One whose time is over has ended, whatever its limit; and less than is left changes nothing.</summary>
    private static Task<bool> IsBeyondAsync(InventoryDb database, DateTimeOffset expiresAt, TimeSpan ttl, DateTimeOffset latest, CancellationToken cancellationToken) =>
        database.Database.SqlQuery<bool>(
            $"""
             SELECT {expiresAt} > clock_timestamp() AND clock_timestamp() + {ttl} > {expiresAt} AND clock_timestamp() + {ttl} > {latest} AS "Value"
             """).SingleAsync(cancellationToken);
}

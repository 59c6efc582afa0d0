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
    /// <param name="TtlSeconds">How long to hold from now on; at most a day. Less than the remaining time changes nothing.</param>
    [Example("""{"ttlSeconds": 3600}""")]
    public sealed record Request(int TtlSeconds = HoldRules.DefaultTtl);

    /// <summary>Extend a hold</summary>
    /// <remarks>
    /// 409 <c>hold-ended</c> when it has expired; 409 <c>hold-lifetime-exceeded</c>, without a change, when it would last longer after its
    /// creation than <c>Inventory:MaxHoldLifetime</c> (24 hours) allows: <c>latestExpiresAt</c> is the latest possible time. If-Match is honoured
    /// when sent.
    /// </remarks>
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
        // Lock before reading: a transaction that releases units of a due hold locks the hold too, without changing its row.
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
        // By the clock that ends the hold.
        var now = (await database.Database.SqlQuery<DateTimeOffset>($"SELECT clock_timestamp() AS \"Value\"").ToListAsync(cancellationToken))[0];
        if (row.Status != HoldStatus.Live || row.ExpiresAt <= now)
        {
            return HoldRules.Ended(row.Status);
        }

        var expiresAt = now + ttl;
        if (expiresAt > row.ExpiresAt && expiresAt > latest)
        {
            return Problems.Conflict(
                "hold-lifetime-exceeded", "The hold would last too long.", $"It can be extended until {latest:O} at most. Nothing was changed.", ("latestExpiresAt", latest));
        }

        if (expiresAt > row.ExpiresAt)
        {
            await database.Database.ExecuteSqlAsync(
                $"UPDATE holds SET expires_at = {expiresAt}, version = version + 1, updated_at = greatest(updated_at, {now}) WHERE id = {id}", cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return await database.AnswerHoldAsync(http, id, TypedResults.Ok, cancellationToken);
    }
}

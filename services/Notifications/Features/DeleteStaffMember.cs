using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

internal static class DeleteStaffMember
{
    /// <summary>Delete a member of staff</summary>
    /// <remarks>Also removes the addresses and texts of messages to the member. Pending messages fail when their turn comes.</remarks>
    public static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, NotificationsDb db, CancellationToken cancellationToken)
    {
        var member = await db.Staff.SingleOrDefaultAsync(s => s.Id == id, cancellationToken);
        if (member is null)
        {
            return Problems.NotFound("member of staff", id);
        }

        if (ETags.CheckIfMatch(http, member.Version) is { } mismatch)
        {
            return mismatch;
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        db.Remove(member);
        if (await db.SaveChangedAsync("member of staff", member, s => s.Id, s => s.Version, cancellationToken) is { } refused)
        {
            return refused;
        }

        // The lease is removed too, so that a sender that is using the address cannot write it back.
        await db.Database.ExecuteSqlAsync(
            $"""
             UPDATE notifications
             SET recipient = NULL, subject = NULL, body = NULL, leased_by = NULL, lease_until = NULL, last_error = NULL
             WHERE customer_id IS NULL AND channel <> 'webhook' AND recipient_ref = {id.ToString()}
             """,
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.NoContent();
    }
}

using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

internal static class GetStaffMember
{
    /// <summary>Read a member of staff</summary>
    public static async Task<Results<Results<Ok<StaffResponse>, StatusCodeHttpResult>, ProblemHttpResult>> HandleAsync(
        Guid id, HttpContext http, NotificationsDb db, CancellationToken cancellationToken)
    {
        var member = await db.Staff.AsNoTracking().Where(s => s.Id == id).Select(StaffResponse.Projection).SingleOrDefaultAsync(cancellationToken);
        return member is null ? Problems.NotFound("member of staff", id) : ETags.Ok(http, member, member.Version);
    }
}

using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

internal static class UpdateStaffMember
{
    /// <summary>The new details of a member of staff.</summary>
    /// <param name="Name">1 to 200 characters.</param>
    /// <param name="Channels">How the member is notified.</param>
    /// <param name="Events"><c>lowStock</c> when a product's stock falls to its threshold, <c>lowStockLeft</c> when it rises above it again.</param>
    /// <param name="Email">Required for the channel email.</param>
    /// <param name="Phone">Required for the channel sms.</param>
    /// <param name="Language">IETF language tag of the messages; unchanged when left out.</param>
    [Example("""{"name": "Warehouse", "email": "warehouse@example.com", "channels": {"email": true, "sms": false}, "events": ["lowStock"], "language": "en"}""")]
    public sealed record Request(
        [property: MaxLength(200)] string Name, StaffChannels Channels, IReadOnlyList<string> Events, [property: MaxLength(254)] string? Email = null, [property: MaxLength(40)] string? Phone = null, [property: MaxLength(35)] string? Language = null);

    /// <summary>Replace a member of staff's details</summary>
    /// <remarks>Pending messages go to the new address.</remarks>
    public static async Task<Results<Ok<StaffResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, Request request, HttpContext http, NotificationsDb db, TimeProvider time, CancellationToken cancellationToken)
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

        var details = new StaffDetails(request.Name, request.Email, request.Phone, request.Channels, request.Events, request.Language ?? member.Language);
        var errors = StaffRules.Check(details);
        if (errors.Any)
        {
            return errors.Malformed();
        }

        member.Change(details, time.GetStorableNow());
        if (await db.SaveChangedAsync("member of staff", member, s => s.Id, s => s.Version, cancellationToken) is { } refused)
        {
            return refused;
        }

        ETags.Set(http, member.Version);
        return TypedResults.Ok(StaffResponse.Of(member));
    }
}

using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Notifications.Features;

internal static class CreateStaffMember
{
    /// <summary>A member of staff to create.</summary>
    /// <param name="Name">1 to 200 characters.</param>
    /// <param name="Channels">How the member is notified.</param>
    /// <param name="Events"><c>lowStock</c> when a product's stock falls to its threshold, <c>lowStockLeft</c> when it rises above it again.</param>
    /// <param name="Email">Required for the channel email.</param>
    /// <param name="Phone">Required for the channel sms.</param>
    /// <param name="Language">IETF language tag of the messages; <c>en</c> when left out.</param>
    [Example("""{"name": "Warehouse", "email": "warehouse@example.com", "channels": {"email": true, "sms": false}, "events": ["lowStock"], "language": "en"}""")]
    public sealed record Request(
        [property: MaxLength(200)] string Name, StaffChannels Channels, IReadOnlyList<string> Events, [property: MaxLength(254)] string? Email = null, [property: MaxLength(40)] string? Phone = null, [property: MaxLength(35)] string? Language = null);

    /// <summary>Add a member of staff</summary>
    /// <remarks>
    /// 409 <c>limit-reached</c> when there are 1,000 members. 404 when the member that the Idempotency-Key created has been deleted.
    /// </remarks>
    public static async Task<Results<Created<StaffResponse>, ProblemHttpResult>> HandleAsync(
        Request request, HttpContext http, Caller caller, NotificationsDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var details = new StaffDetails(
            request.Name, request.Email, request.Phone, request.Channels, request.Events, request.Language ?? BuiltInTemplates.DefaultLanguage);
        var errors = StaffRules.Check(details);
        if (errors.Any)
        {
            return errors.Malformed();
        }

        var member = StaffMember.Create(details, time.GetStorableNow());
        await using var create = await IdempotentCreate.BeginAsync(
            // A request with an explicit default is the same as one that leaves it out.
            http, db, caller.Sub, request with { Language = request.Language == BuiltInTemplates.DefaultLanguage ? null : request.Language },
            NotificationsJson.Default.CreateStaffRequest, member.Id, cancellationToken);
        if (create.Problem is { } refused)
        {
            return refused;
        }

        if (create.Existing is { } existing)
        {
            var before = await db.Staff.AsNoTracking().Where(s => s.Id == existing).Select(StaffResponse.Projection).SingleOrDefaultAsync(cancellationToken);
            return before is null ? Problems.NotFound("member of staff", existing) : Created(http, before);
        }

        if (await db.Staff.CountAsync(cancellationToken) >= StaffMember.MaxCount)
        {
            return NotificationProblems.LimitReached("members of staff", StaffMember.MaxCount, canDelete: true);
        }

        db.Add(member);
        await db.SaveChangesAsync(cancellationToken);
        await create.CommitAsync(cancellationToken);
        return Created(http, StaffResponse.Of(member));
    }

    private static Created<StaffResponse> Created(HttpContext http, StaffResponse member)
    {
        ETags.Set(http, member.Version);
        return TypedResults.Created($"/api/notifications/staff/{member.Id}", member);
    }
}

using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Notifications.Features;

internal static class NotificationEndpoints
{
    public static void MapNotifications(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/notifications").WithTags("Notifications");
        group.MapGet("/", ListNotifications.HandleAsync).For(Policies.ReadNotifications).WithProblems(404, 503);
        group.MapGet("/counts", CountNotifications.HandleAsync).For(Policies.CountNotifications).WithProblems(503);
        group.MapPost("/resend", ResendNotifications.HandleAsync).For(Policies.ResendNotifications).WithProblems(503);
        group.MapPost("/{id:guid}/resend", ResendNotification.HandleAsync).For(Policies.ResendNotifications).WithProblems(404, 409, 503);

        group.MapGet("/changes", ListChanges.HandleAsync).For(Policies.Administer).WithTags("Changes").WithProblems(503);

        var webhooks = group.MapGroup("/webhooks").WithTags("Webhooks").For(Policies.Administer);
        webhooks.MapPost("/", CreateWebhook.HandleAsync).WithIdempotencyKey().WithProblems(404, 409, 503);
        webhooks.MapGet("/", ListWebhooks.HandleAsync).WithProblems(503);
        webhooks.MapGet("/{id:guid}", GetWebhook.HandleAsync).WithETag().WithProblems(404, 503);
        webhooks.MapPatch("/{id:guid}", PatchWebhook.HandleAsync).WithIfMatch().WithProblems(404, 503);
        webhooks.MapDelete("/{id:guid}", DeleteWebhook.HandleAsync).WithIfMatch().WithProblems(404, 503);
        webhooks.MapPost("/{id:guid}/rotate-secret", RotateWebhookSecret.HandleAsync).WithOptionalIfMatch().WithProblems(404, 503);
        webhooks.MapPost("/{id:guid}/test", TestWebhook.HandleAsync).WithOptionalIfMatch().WithProblems(404, 503);
        webhooks.MapGet("/{id:guid}/deliveries", ListWebhookDeliveries.HandleAsync).WithProblems(404, 503);

        var templates = group.MapGroup("/templates").WithTags("Templates").For(Policies.Administer);
        templates.MapGet("/", ListTemplates.HandleAsync).WithProblems(503);
        templates.MapGet("/{template}/{channel}/{language}", GetTemplate.HandleAsync).WithETag().WithProblems(404, 503);
        templates.MapPut("/{template}/{channel}/{language}", PutTemplate.HandleAsync).WithIfMatch().WithProblems(404, 409, 422, 503);
        templates.MapGet("/{template}/{channel}/{language}/versions", ListTemplateVersions.HandleAsync).WithProblems(404, 503);
        templates.MapPost("/{template}/{channel}/{language}/preview", PreviewTemplate.HandleAsync).WithProblems(404, 422, 503);

        var staff = group.MapGroup("/staff").WithTags("Staff").For(Policies.Administer);
        staff.MapPost("/", CreateStaffMember.HandleAsync).WithIdempotencyKey().WithProblems(404, 409, 503);
        staff.MapGet("/", ListStaff.HandleAsync).WithProblems(503);
        staff.MapGet("/{id:guid}", GetStaffMember.HandleAsync).WithETag().WithProblems(404, 503);
        staff.MapPut("/{id:guid}", UpdateStaffMember.HandleAsync).WithIfMatch().WithProblems(404, 503);
        staff.MapDelete("/{id:guid}", DeleteStaffMember.HandleAsync).WithIfMatch().WithProblems(404, 503);

        routes.MapDeadLetters("notifications");
        routes.MapOutbox("notifications");
    }
}

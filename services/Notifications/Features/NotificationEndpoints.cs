using OrderInventory.Messaging.Inbox;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Features;

internal static class NotificationEndpoints
{
    public static void MapNotifications(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/notifications").WithTags("Notifications");
        group.MapGet("/", ListNotifications.HandleAsync).WithName("ListNotifications")
            .WithProblems(400, 503);
        group.MapPost("/{id:guid}/resend", ResendNotification.HandleAsync).WithName("ResendNotification")
            .WithProblems(404, 503);

        var webhooks = group.MapGroup("/webhooks").WithTags("Webhooks");
        webhooks.MapPost("/", CreateWebhook.HandleAsync).WithIdempotencyKey().WithProblems(400, 404, 409, 413, 415, 503);
        webhooks.MapGet("/", ListWebhooks.HandleAsync).WithProblems(400, 503);
        webhooks.MapGet("/{id:guid}", GetWebhook.HandleAsync).WithETag().WithProblems(404, 503);
        webhooks.MapPatch("/{id:guid}", PatchWebhook.HandleAsync).WithIfMatch().WithProblems(400, 404, 413, 415, 503);
        webhooks.MapDelete("/{id:guid}", DeleteWebhook.HandleAsync).WithIfMatch().WithProblems(404, 503);
        webhooks.MapPost("/{id:guid}/rotate-secret", RotateWebhookSecret.HandleAsync).WithProblems(404, 412, 503);
        webhooks.MapGet("/{id:guid}/deliveries", ListWebhookDeliveries.HandleAsync).WithProblems(400, 404, 503);

        routes.MapDeadLetters("notifications");
    }
}

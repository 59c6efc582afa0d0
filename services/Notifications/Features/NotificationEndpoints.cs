using OrderInventory.Messaging.Inbox;

namespace OrderInventory.Notifications.Features;

internal static class NotificationEndpoints
{
    public static void MapNotifications(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/notifications").WithTags("Notifications");
        group.MapGet("/", ListNotifications.HandleAsync).WithName("ListNotifications")
            .ProducesProblem(StatusCodes.Status400BadRequest);
        group.MapPost("/{id:guid}/resend", ResendNotification.HandleAsync).WithName("ResendNotification")
            .ProducesProblem(StatusCodes.Status404NotFound);
        routes.MapDeadLetters("notifications");
    }
}

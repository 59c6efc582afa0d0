using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.Data;

internal static class NotificationGauges
{
    /// <summary>Counts notifications that were given up and that nobody has resent.</summary>
    public static void AddNotificationGauges(this IHostApplicationBuilder builder) => builder.AddDatabaseGauges(
        NotificationTelemetry.Name, TimeSpan.FromSeconds(30),
        """
        SELECT count(*) FILTER (WHERE channel = 'webhook')::float8, count(*) FILTER (WHERE channel <> 'webhook')::float8
        FROM notifications WHERE status = 'failed'
        """,
        new("notifications.webhooks.given_up", "{notification}", "Webhook deliveries that were given up"),
        new("notifications.messages.given_up", "{notification}", "E-mails and text messages that were given up"));
}

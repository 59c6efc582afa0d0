using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Features;

namespace OrderInventory.Notifications;

internal static class NotificationSenders
{
    /// <summary>Adds the sender of one channel.</summary>
    public static void AddSenderOf<TChannel>(this IServiceCollection services)
        where TChannel : IMessageChannel =>
        // Not AddHostedService, which adds each type once.
        services.AddSingleton<IHostedService>(
            provider => ActivatorUtilities.CreateInstance<SendNotifications>(provider, ActivatorUtilities.CreateInstance<TChannel>(provider)));
}

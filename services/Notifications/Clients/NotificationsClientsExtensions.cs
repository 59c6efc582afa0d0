using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Clients;

internal static class NotificationsClientsExtensions
{
    /// <summary>Adds the clients of the services that are queried when something is sent.</summary>
    public static void AddNotificationsClients(this IServiceCollection services)
    {
        Add<CustomersClient>(services, "customers");
        Add<OrdersClient>(services, "orders");
        Add<ProductsClient>(services, "products");
    }

    private static void Add<TClient>(IServiceCollection services, string service)
        where TClient : class =>
        services.AddServiceClient<TClient>(service, attempt: TimeSpan.FromSeconds(3), total: TimeSpan.FromSeconds(10))
            // The sender keeps its client permanently, so connections rather than handlers are renewed when addresses change.
            .UseSocketsHttpHandler((handler, _) => handler.PooledConnectionLifetime = TimeSpan.FromMinutes(2))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
}

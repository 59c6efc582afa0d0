using Microsoft.Extensions.Options;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Clients;

internal static class OrdersClientsExtensions
{
    /// <summary>The services that Orders queries while a caller waits.</summary>
    public static void AddOrdersClients(this WebApplicationBuilder builder)
    {
        builder.Services.AddServiceClient<InventoryClient>("inventory", attempt: TimeSpan.FromMilliseconds(500), total: TimeSpan.FromSeconds(1.5));
        builder.Services.AddServiceClient<ProductsClient>("products", attempt: TimeSpan.FromSeconds(1), total: TimeSpan.FromSeconds(3));
        builder.Services.AddServiceClient<CustomersClient>("customers", attempt: TimeSpan.FromSeconds(1), total: TimeSpan.FromSeconds(3));
        builder.Services.AddServiceClient<NotificationsClient>("notifications", attempt: TimeSpan.FromSeconds(1), total: TimeSpan.FromSeconds(3));
        builder.Services.AddSingleton<KafkaStockCheck>();
        builder.Services.AddHostedService(services => services.GetRequiredService<KafkaStockCheck>());
        builder.Services.AddSingleton<NoStockCheck>();
        builder.Services.AddSingleton<StockAdvice>();
        // Resolved for each question: a singleton must not keep a typed HTTP client.
        builder.Services.AddSingleton<Func<IStockCheck>>(services => services.GetRequiredService<IOptions<OrdersOptions>>().Value.StockCheck switch
        {
            StockCheckMode.None => services.GetRequiredService<NoStockCheck>,
            StockCheckMode.Kafka => services.GetRequiredService<KafkaStockCheck>,
            _ => services.GetRequiredService<InventoryClient>,
        });
    }
}

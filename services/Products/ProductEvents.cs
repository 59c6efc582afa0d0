using OrderInventory.Contracts;
using OrderInventory.Contracts.Products;
using OrderInventory.Messaging;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Products.Domain;

namespace OrderInventory.Products;

/// <summary>What this service publishes.</summary>
internal static class ProductEvents
{
    private static readonly EventType<ProductUpdated> s_updated =
        new(ProductUpdated.Topic, ProductUpdated.Type, "/products", EventsJson.Default.ProductUpdated);

    /// <summary>The event with the product's current state, for the outbox. Save it with the change.</summary>
    public static OutboxMessage Updated(Product product) => OutboxMessage.Create(
        s_updated, product.Id, product.Version,
        new(product.Id, product.Version, product.Sku, product.Name, product.Price, product.Status), product.UpdatedAt);
}

using System.Text.Json.Serialization;

namespace OrderInventory.Contracts.Products;

/// <summary>A product was created, changed or deleted; the members are its state afterwards.</summary>
/// <param name="ProductId">The product; the Kafka key.</param>
/// <param name="Version">Grows by one with every change.</param>
/// <param name="Sku">Stock keeping unit, unique.</param>
/// <param name="Name">Display name.</param>
/// <param name="Price">Price of one unit.</param>
/// <param name="Status">Whether it can be ordered.</param>
public sealed record ProductUpdated(Guid ProductId, long Version, string Sku, string Name, Money Price, ProductStatus Status)
{
    /// <summary>The Kafka topic.</summary>
    public const string Topic = "product.updated";

    /// <summary>The CloudEvents type.</summary>
    public const string Type = "product.updated.v1";
}

/// <summary>Whether a product can be ordered.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<ProductStatus>))]
public enum ProductStatus
{
    /// <summary>Can be ordered.</summary>
    Active,

    /// <summary>Can no longer be ordered; existing orders keep it.</summary>
    Discontinued,

    /// <summary>Removed from the catalogue; its SKU stays taken.</summary>
    Deleted,
}

using System.ComponentModel.DataAnnotations;
using System.Linq.Expressions;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Products;
using OrderInventory.Products.Domain;

namespace OrderInventory.Products.Http;

/// <summary>A product.</summary>
/// <param name="Id">UUIDv7.</param>
/// <param name="Sku">Stock keeping unit; no other product has or ever had it.</param>
/// <param name="Name">Display name.</param>
/// <param name="Description">Free text, or null.</param>
/// <param name="Category">A name that products are filtered by, or null.</param>
/// <param name="Price">Price of one unit.</param>
/// <param name="Attributes">Names and values such as <c>"colour": "red"</c>, sorted by name; empty when there are none.</param>
/// <param name="VariantOf">The product that this one is a variant of, or null.</param>
/// <param name="Status"><c>active</c>, or <c>discontinued</c>: it can no longer be ordered.</param>
/// <param name="Version">Grows by one with every change; also the ETag.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="UpdatedAt">When it was last changed.</param>
public sealed record ProductResponse(
    Guid Id, [property: MaxLength(64)] string Sku, [property: MaxLength(200)] string Name, [property: MaxLength(4000)] string? Description, [property: MaxLength(100)] string? Category, Money Price, IReadOnlyDictionary<string, string> Attributes,
    Guid? VariantOf, ProductStatus Status, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    internal static readonly Expression<Func<Product, ProductResponse>> Projection = p =>
        new(p.Id, p.Sku, p.Name, p.Description, p.Category, p.Price, ValuesOf(p.Attributes), p.VariantOf, p.Status, p.Version, p.CreatedAt, p.UpdatedAt);

    private static readonly Func<Product, ProductResponse> s_toResponse = Projection.Compile();

    internal static ProductResponse Of(Product product) => s_toResponse(product);

    /// <summary>A separate method, because EF Core would translate a member of a JSON column into a path in the JSON.</summary>
    private static IReadOnlyDictionary<string, string> ValuesOf(ProductAttributes attributes) => attributes.Values;
}

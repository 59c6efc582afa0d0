using System.Linq.Expressions;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Products;
using OrderInventory.Products.Domain;

namespace OrderInventory.Products.Features;

/// <summary>A product.</summary>
/// <param name="Id">UUIDv7.</param>
/// <param name="Sku">Stock keeping unit; no other product has or ever had it.</param>
/// <param name="Name">Display name.</param>
/// <param name="Description">Free text, or null.</param>
/// <param name="Category">A name that products are filtered by, or null.</param>
/// <param name="Price">Price of one unit.</param>
/// <param name="Status"><c>active</c>, or <c>discontinued</c>: it can no longer be ordered.</param>
/// <param name="Version">Grows by one with every change; also the ETag.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="UpdatedAt">When it was changed last.</param>
public sealed record ProductResponse(
    Guid Id, string Sku, string Name, string? Description, string? Category, Money Price, ProductStatus Status, long Version,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    internal static readonly Expression<Func<Product, ProductResponse>> Projection = p =>
        new(p.Id, p.Sku, p.Name, p.Description, p.Category, p.Price, p.Status, p.Version, p.CreatedAt, p.UpdatedAt);

    private static readonly Func<Product, ProductResponse> s_of = Projection.Compile();

    internal static ProductResponse Of(Product product) => s_of(product);
}

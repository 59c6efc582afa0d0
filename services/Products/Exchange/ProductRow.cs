using System.Text.Json.Serialization;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Products;
using OrderInventory.Products.Domain;
using OrderInventory.Products.Features;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Exchange;

/// <summary>
/// A product as files carry it: known by its SKU, without ids, versions and times, which belong to one system. What a row leaves out
/// stays as it is; null removes.
/// </summary>
public sealed class ProductRow
{
    private readonly HashSet<string> _given = [];

    public required string Sku { get; set; }

    public string Name { get; set => field = Give(value, nameof(Name)); } = "";

    public string? Description { get; set => field = Give(value, nameof(Description)); }

    public string? Category { get; set => field = Give(value, nameof(Category)); }

    public Money Price { get; set => field = Give(value, nameof(Price)); } = null!;

    public ProductStatus Status { get; set => field = Give(value, nameof(Status)); }

    /// <summary>The SKU of the product that this one is a variant of.</summary>
    public string? VariantOfSku { get; set => field = Give(value, nameof(VariantOfSku)); }

    /// <summary>All of them: those that are not named are removed.</summary>
    public IReadOnlyDictionary<string, string>? Attributes { get; set => field = Give(value, nameof(Attributes)); }

    /// <summary>Whether the row says what the product is a variant of.</summary>
    [JsonIgnore]
    public bool GivesVariant => _given.Contains(nameof(VariantOfSku));

    internal static ProductRow Of(Product product, string? variantOfSku) => new()
    {
        Sku = product.Sku,
        Name = product.Name,
        Description = product.Description,
        Category = product.Category,
        Price = product.Price,
        Status = product.Status,
        VariantOfSku = variantOfSku,
        Attributes = product.Attributes.Values,
    };

    /// <summary>What the product is to be after this row.</summary>
    internal (ProductDetails Details, ProductStatus Status) ApplyTo(Product? product, Guid? variantOf, RequestErrors errors)
    {
        var current = product?.Details;
        errors.Require(current is not null || _given.Contains(nameof(Name)), "$.name", "A new product needs it.");
        errors.Require(current is not null || _given.Contains(nameof(Price)), "$.price", "A new product needs it.");
        var status = _given.Contains(nameof(Status)) ? Status : product?.Status ?? ProductStatus.Active;
        errors.Require(status != ProductStatus.Deleted, "$.status", "active or discontinued is required.");
        var details = new ProductDetails(
            Sku,
            _given.Contains(nameof(Name)) ? Name : current?.Name ?? "-",
            // A cell cannot tell an empty text from none.
            _given.Contains(nameof(Description)) && !(Description is null && current?.Description is "") ? Description : current?.Description,
            _given.Contains(nameof(Category)) ? Category : current?.Category,
            _given.Contains(nameof(Price)) ? Price : current?.Price ?? new(0, "XXX"),
            _given.Contains(nameof(Attributes)) ? ProductAttributes.Of(Attributes) : current?.Attributes ?? ProductAttributes.None,
            GivesVariant ? variantOf : current?.VariantOf);
        ProductRules.Check(details, errors);
        return (details, status);
    }

    private T Give<T>(T value, string member)
    {
        _given.Add(member);
        return value;
    }
}

/// <summary>What was read of a file for one product: a row, or what is wrong with it.</summary>
/// <param name="Line">Where it begins in the file; the first line is 1.</param>
/// <param name="Sku">As far as it could be read.</param>
/// <param name="Row">Null when it could not be read.</param>
/// <param name="Errors">A map from JSON path to messages; null when there are none.</param>
internal sealed record ImportLine(long Line, string? Sku, ProductRow? Row, IReadOnlyDictionary<string, string[]>? Errors)
{
    public static ImportLine Bad(long line, string? sku, string message) => new(line, sku, null, new Dictionary<string, string[]> { ["$"] = [message] });
}

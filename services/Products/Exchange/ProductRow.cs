using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Products;
using OrderInventory.Products.Domain;
using OrderInventory.Products.Features;
using OrderInventory.Products.Http;
using OrderInventory.ServiceDefaults.BulkFiles;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Products.Exchange;

/// <summary>
/// A product as a row of a file: identified by its SKU, without ids, versions and times, which belong to one system. What a row leaves out
/// is unchanged; null removes a value.
/// </summary>
public sealed class ProductRow : IImportRow<ProductRow>
{
    private static readonly JsonSerializerOptions s_strict = Strict();

    private readonly HashSet<string> _present = [];

    public static IReadOnlyList<string> Columns { get; } =
        ["sku", "name", "description", "category", "price", "currency", "status", "variantOfSku", "attributes"];

    string IImportRow<ProductRow>.Key => Sku;

    public required string Sku { get; set; }

    public string Name { get; set => field = MarkPresent(value, nameof(Name)); } = "";

    public string? Description { get; set => field = MarkPresent(value, nameof(Description)); }

    public string? Category { get; set => field = MarkPresent(value, nameof(Category)); }

    public Money Price { get; set => field = MarkPresent(value, nameof(Price)); } = null!;

    public ProductStatus Status { get; set => field = MarkPresent(value, nameof(Status)); }

    /// <summary>The SKU of the product that this one is a variant of.</summary>
    public string? VariantOfSku { get; set => field = MarkPresent(value, nameof(VariantOfSku)); }

    /// <summary>All attributes: those that are not named are removed.</summary>
    public IReadOnlyDictionary<string, string>? Attributes { get; set => field = MarkPresent(value, nameof(Attributes)); }

    /// <summary>Whether the row sets what the product is a variant of.</summary>
    [JsonIgnore]
    public bool SetsVariantOf => _present.Contains(nameof(VariantOfSku));

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

    /// <summary>The product's details and status after this row.</summary>
    internal (ProductDetails Details, ProductStatus Status) ApplyTo(Product? product, Guid? variantOf, RequestErrors errors)
    {
        var current = product?.Details;
        errors.Require(current is not null || _present.Contains(nameof(Name)), "$.name", "It is required for a new product.");
        errors.Require(current is not null || _present.Contains(nameof(Price)), "$.price", "It is required for a new product.");
        var status = _present.Contains(nameof(Status)) ? Status : product?.Status ?? ProductStatus.Active;
        errors.Require(status != ProductStatus.Deleted, "$.status", "active or discontinued is required.");
        var details = new ProductDetails(
            Sku,
            _present.Contains(nameof(Name)) ? Name : current?.Name ?? "-",
            // A cell cannot distinguish an empty text from no text.
            _present.Contains(nameof(Description)) && !(Description is null && current?.Description is "") ? Description : current?.Description,
            _present.Contains(nameof(Category)) ? Category : current?.Category,
            _present.Contains(nameof(Price)) ? Price : current?.Price ?? new(0, "EUR"),
            _present.Contains(nameof(Attributes)) ? ProductAttributes.Of(Attributes) : current?.Attributes ?? ProductAttributes.None,
            SetsVariantOf ? variantOf : current?.VariantOf);
        ProductRules.Check(details, errors);
        return (details, status);
    }

    static void IImportRow<ProductRow>.CheckHeader(IReadOnlyCollection<string> header, RequestErrors errors)
    {
        errors.Require(header.Contains("sku"), "$.sku", "The column is required.");
        errors.Require(header.Contains("price") == header.Contains("currency"), "$.price", "The columns price and currency must be given together.");
    }

    static ProductRow IImportRow<ProductRow>.Parse(IReadOnlyDictionary<string, string> cells, RequestErrors errors)
    {
        var row = new ProductRow { Sku = cells["sku"] };
        foreach (var (column, text) in cells)
        {
            var orNone = text == "" ? null : text;
            switch (column)
            {
                case "name":
                    row.Name = text;
                    break;
                case "description":
                    row.Description = orNone;
                    break;
                case "category":
                    row.Category = orNone;
                    break;
                case "price":
                    errors.Require(
                        ExactDecimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, out var amount) && text[0] != '+',
                        "$.price.amount", "A number like 18.00 is required.");
                    row.Price = new(amount, cells["currency"]);
                    break;
                case "status":
                    row.Status = text == "discontinued" ? ProductStatus.Discontinued : ProductStatus.Active;
                    errors.Require(text is "active" or "discontinued", "$.status", "active or discontinued is required.");
                    break;
                case "variantOfSku":
                    row.VariantOfSku = orNone;
                    break;
                case "attributes":
                    row.Attributes = ReadAttributes(text, errors);
                    break;
            }
        }

        return row;
    }

    private static Dictionary<string, string>? ReadAttributes(string cell, RequestErrors errors)
    {
        try
        {
            return cell == "" ? null : JsonSerializer.Deserialize<Dictionary<string, string>>(cell, s_strict);
        }
        catch (JsonException)
        {
            errors.Add("$.attributes", """A JSON object with texts as values, like {"colour": "red"}, is required.""");
            return null;
        }
    }

    private static JsonSerializerOptions Strict()
    {
        var options = new JsonSerializerOptions();
        StrictJson.Configure(options);
        return options;
    }

    private T MarkPresent<T>(T value, string member)
    {
        _present.Add(member);
        return value;
    }
}

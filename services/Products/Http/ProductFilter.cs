using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using NpgsqlTypes;
using OrderInventory.Contracts.Products;
using OrderInventory.Products.Data;
using OrderInventory.Products.Domain;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Products.Http;

/// <summary>The filters that the list and the export share. All that are given must match.</summary>
internal sealed record ProductFilter(
    string? Q, string? Category, string? Sku, string? Status, decimal? MinPrice, decimal? MaxPrice, string? Currency, Guid? VariantOf, string? Ids)
{
    public const int MaxAttributes = 10;
    public const string AttributePrefix = "attribute.";

    /// <summary>The text to search for, or null.</summary>
    public string? Text { get; } = string.IsNullOrWhiteSpace(Q) ? null : Q.Trim();

    /// <summary>Adds the filters; reads <c>attribute.{name}={value}</c> from the query string. Returns the 400 to answer, or null.</summary>
    public ProblemHttpResult? Apply(IQueryCollection query, ref IQueryable<Product> products)
    {
        Guid[]? ids = null;
        if (Ids is not null && IdList.Read(Ids, "ids", out ids) is { } malformed)
        {
            return malformed;
        }

        var errors = new RequestErrors();
        ProductStatus? status = Status switch { "active" => ProductStatus.Active, "discontinued" => ProductStatus.Discontinued, _ => null };
        errors.Require(Status is null || status is not null, "status", "active or discontinued is required.");
        errors.Require(Currency is null || Currencies.MinorUnits(Currency) is not null, "currency", "An ISO 4217 code like EUR is required.");
        errors.Require(Text is null || TextRules.CountOf(Text) <= ProductSearch.MaxLength, "q", $"At most {ProductSearch.MaxLength} characters are allowed.");
        var attributes = query.Where(pair => pair.Key.StartsWith(AttributePrefix, StringComparison.Ordinal))
            .SelectMany(pair => pair.Value.Select(value => (Name: Nfc.Normalize(pair.Key[AttributePrefix.Length..]), Value: Nfc.Normalize(value ?? "")))).ToList();
        errors.Require(attributes.Count <= MaxAttributes, "attribute", $"At most {MaxAttributes} attributes are allowed.");
        errors.Require(attributes.TrueForAll(a => a.Name != ""), "attribute", "A name is required, as in attribute.colour=red.");
        // JSON allows the character, but PostgreSQL cannot store it, and reports this only when it runs the statement.
        errors.Require(!attributes.Exists(a => a.Name.Contains('\0') || a.Value.Contains('\0')), "attribute", "The text contains U+0000.");
        if (errors.Any)
        {
            return errors.Malformed();
        }

        products = Apply(products, status);
        products = ids is null ? products : products.Where(p => ids.Contains(p.Id));
        foreach (var (name, value) in attributes)
        {
            var pair = JsonSerializer.Serialize(new() { [name] = value }, ProductsJson.Default.DictionaryStringString);
            products = products.Where(p => EF.Functions.JsonContains(p.Attributes, pair));
        }

        return null;
    }

    private IQueryable<Product> Apply(IQueryable<Product> products, ProductStatus? status)
    {
        products = status is null ? products : products.Where(p => p.Status == status);
        products = Category is null ? products : products.Where(p => p.Category == Category);
        products = Sku is null ? products : products.Where(p => p.Sku == Sku);
        products = MinPrice is null ? products : products.Where(p => p.Price.Amount >= MinPrice);
        products = MaxPrice is null ? products : products.Where(p => p.Price.Amount <= MaxPrice);
        products = Currency is null ? products : products.Where(p => p.Price.Currency == Currency);
        products = VariantOf is null ? products : products.Where(p => p.VariantOf == VariantOf);
        if (Text is null)
        {
            return products;
        }

        // A text without a word in it can only be a SKU.
        return ProductSearch.ToQuery(Text) is not { } words
            ? products.Where(p => p.Sku == Text)
            : products.Where(p => p.Sku == Text
                || EF.Property<NpgsqlTsVector>(p, ProductsDb.Search).Matches(EF.Functions.ToTsQuery(ProductSearch.Configuration, words)));
    }
}

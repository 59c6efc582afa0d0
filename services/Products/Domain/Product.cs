using OrderInventory.Contracts;
using OrderInventory.Contracts.Products;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Products.Domain;

/// <summary>What a catalogue manager sets on a product.</summary>
internal sealed record ProductDetails(
    string Sku, string Name, string? Description, string? Category, Money Price, ProductAttributes Attributes, Guid? VariantOf);

/// <summary>Something that can be ordered. Every change creates a new version and is published to the other services.</summary>
internal sealed class Product
{
    private Product()
    {
    }

    public Guid Id { get; private init; }
    public string Sku { get; private set; } = null!;
    public string Name { get; private set; } = null!;
    public string? Description { get; private set; }
    public string? Category { get; private set; }
    public Money Price { get; private set; } = null!;
    public ProductAttributes Attributes { get; private set; } = ProductAttributes.None;

    /// <summary>The product that this one is a variant of. One level only: that product is not a variant itself.</summary>
    public Guid? VariantOf { get; private set; }

    public ProductStatus Status { get; private set; }
    public long Version { get; private set; }
    public DateTimeOffset CreatedAt { get; private init; }
    public DateTimeOffset UpdatedAt { get; private set; }

    public ProductDetails Details => new(Sku, Name, Description, Category, Price, Attributes, VariantOf);

    public static Product Create(ProductDetails details, DateTimeOffset now, ProductStatus status = ProductStatus.Active)
    {
        var product = new Product { Id = Guid.CreateVersion7(now), Status = status, Version = 1, CreatedAt = now, UpdatedAt = now };
        product.Apply(details);
        return product;
    }

    /// <summary>Sets everything that can be changed. False when nothing changed: no new version, nothing to publish.</summary>
    public bool Change(ProductDetails details, ProductStatus status, DateTimeOffset now)
    {
        ThrowIfDeleted();
        if (status == ProductStatus.Deleted)
        {
            throw new ArgumentOutOfRangeException(nameof(status), status, "Deleting has its own rules.");
        }

        if (status == Status && details with { Price = Canonical(details.Price) } == Details)
        {
            return false;
        }

        Apply(details);
        Status = status;
        Touch(now);
        return true;
    }

    /// <summary>Marks the product as deleted. The row stays, so that its SKU is never given to another product.</summary>
    public void Delete(DateTimeOffset now)
    {
        ThrowIfDeleted();
        Status = ProductStatus.Deleted;
        Touch(now);
    }

    private void Apply(ProductDetails details)
    {
        (Sku, Name, Description, Category) = (details.Sku, details.Name, details.Description, details.Category);
        Price = Canonical(details.Price);
        (Attributes, VariantOf) = (details.Attributes, details.VariantOf);
    }

    /// <summary>With the decimal places of its currency: 18 and 18.00000 are stored and returned as 18.00 EUR.</summary>
    private static Money Canonical(Money price) => price with { Amount = Currencies.Canonical(price.Amount, price.Currency) };

    private void Touch(DateTimeOffset now)
    {
        Version++;
        // This clock may be behind another replica's clock, or may have been set back.
        UpdatedAt = now > UpdatedAt ? now : UpdatedAt;
    }

    private void ThrowIfDeleted()
    {
        if (Status == ProductStatus.Deleted)
        {
            throw new InvalidOperationException($"Product {Id} is deleted.");
        }
    }
}

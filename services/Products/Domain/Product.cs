using OrderInventory.Contracts;
using OrderInventory.Contracts.Products;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Products.Domain;

/// <summary>What a catalogue manager decides about a product.</summary>
internal sealed record ProductDetails(
    string Sku, string Name, string? Description, string? Category, Money Price, ProductAttributes Attributes, Guid? VariantOf);

/// <summary>Something that can be ordered. Every change makes a new version, and is told to the other services.</summary>
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

    /// <summary>The product that this one is a variant of. One level only: that product is no variant itself.</summary>
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

    /// <summary>Sets all that can be set. False when it is as it was: no new version, nothing to tell.</summary>
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

    /// <summary>Marks it as gone. The row stays, so that its SKU is never given to another product.</summary>
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

    /// <summary>With the decimal places of its currency: 18 and 18.00000 are kept and answered as 18.00 EUR.</summary>
    private static Money Canonical(Money price) => price with { Amount = Currencies.Canonical(price.Amount, price.Currency) };

    private void Touch(DateTimeOffset now)
    {
        Version++;
        // Another replica's clock, or this one after it was set, may be behind.
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

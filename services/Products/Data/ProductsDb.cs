using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using NpgsqlTypes;
using OrderInventory.Contracts.Products;
using OrderInventory.Messaging;
using OrderInventory.Products.Domain;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Products.Data;

internal sealed class ProductsDb(DbContextOptions<ProductsDb> options) : DbContext(options)
{
    public const string SkuIndex = "ix_products_sku";

    /// <summary>The name of the generated column that <see cref="ProductSearch"/> searches.</summary>
    public const string Search = "Search";

    /// <summary>All products except deleted ones.</summary>
    public DbSet<Product> Products => Set<Product>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.AddMessaging();
        modelBuilder.AddIdempotencyKeys();
        modelBuilder.Entity<Product>(product =>
        {
            product.ToTable("products", table =>
            {
                table.HasCheckConstraint("ck_products_price", "price >= 0");
                table.HasCheckConstraint("ck_products_variant_of", "variant_of <> id");
                table.HasCheckConstraint("ck_products_status", "status IN ('active', 'discontinued', 'deleted')");
            });
            product.HasKey(p => p.Id);
            product.Property(p => p.Id).ValueGeneratedNever();
            // Includes deleted rows: their SKUs stay taken. The former SKU of a renamed product is not kept, and becomes free.
            product.HasIndex(p => p.Sku, SkuIndex).IsUnique();
            product.HasIndex(p => new { p.Category, p.Id });
            product.ComplexProperty(p => p.Price, price =>
            {
                // Without precision, numeric keeps the digits as given: 18.00 stays 18.00.
                price.Property(m => m.Amount).HasColumnName("price").HasColumnType("numeric");
                price.Property(m => m.Currency).HasColumnName("currency");
            });
            product.Property(p => p.Attributes).HasColumnType("jsonb")
                .HasConversion(attributes => ToJson(attributes), json => ProductAttributes.Of(JsonSerializer.Deserialize(json, ProductsJson.Default.DictionaryStringString)));
            // This operator class makes a small index, and the only query is whether the attributes contain a pair.
            product.HasIndex(p => p.Attributes).HasMethod("gin").HasOperators("jsonb_path_ops");
            product.HasOne<Product>().WithMany().HasForeignKey(p => p.VariantOf).OnDelete(DeleteBehavior.Restrict);
            var search = product.Property<NpgsqlTsVector>(Search).HasComputedColumnSql(ProductSearch.Vector, stored: true).ValueGeneratedNever();
            // The column is never read back: without this every insert and update would return the whole vector.
            search.Metadata.SetBeforeSaveBehavior(PropertySaveBehavior.Ignore);
            search.Metadata.SetAfterSaveBehavior(PropertySaveBehavior.Ignore);
            product.HasIndex(Search).HasMethod("gin");
            product.Property(p => p.Status).HasConversion(status => ToText(status), text => Enum.Parse<ProductStatus>(text, true));
            product.Property(p => p.Version).IsConcurrencyToken();
            product.HasQueryFilter(p => p.Status != ProductStatus.Deleted);
        });
    }

    public static string ToJson(ProductAttributes attributes) =>
        JsonSerializer.Serialize(new Dictionary<string, string>(attributes.Values), ProductsJson.Default.DictionaryStringString);

    private static string ToText(ProductStatus status) => status switch
    {
        ProductStatus.Active => "active",
        ProductStatus.Discontinued => "discontinued",
        ProductStatus.Deleted => "deleted",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, null),
    };
}

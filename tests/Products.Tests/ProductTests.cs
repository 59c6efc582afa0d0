using OrderInventory.Contracts;
using OrderInventory.Contracts.Products;
using OrderInventory.Products.Domain;

namespace OrderInventory.Products.Tests;

public sealed class ProductTests
{
    private static readonly DateTimeOffset s_then = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly DateTimeOffset s_later = s_then.AddHours(1);
    private static readonly ProductDetails s_chai = new("TEA-001", "Chai", null, "beverages", new(18.00m, "EUR"), ProductAttributes.None, null);

    [Fact]
    public void Starts_active_with_version_1()
    {
        var product = Product.Create(s_chai, s_then);

        Assert.Equal((ProductStatus.Active, 1L, s_then, s_then), (product.Status, product.Version, product.CreatedAt, product.UpdatedAt));
    }

    [Fact]
    public void Has_a_new_version_for_each_real_change_only()
    {
        var product = Product.Create(s_chai, s_then);

        Assert.False(product.Change(s_chai with { Price = new Money(18m, "EUR") }, ProductStatus.Active, s_later));
        Assert.Equal((1L, s_then), (product.Version, product.UpdatedAt));
        Assert.True(product.Change(s_chai with { Name = "Chang" }, ProductStatus.Active, s_later));
        Assert.Equal(("Chang", 2L, s_later), (product.Name, product.Version, product.UpdatedAt));
        var red = ProductAttributes.Of(new Dictionary<string, string> { ["size"] = "S", ["colour"] = "red" });
        Assert.True(product.Change(s_chai with { Name = "Chang", Attributes = red }, ProductStatus.Active, s_later));
        var again = ProductAttributes.Of(new Dictionary<string, string> { ["colour"] = "red", ["size"] = "S" });
        Assert.False(product.Change(s_chai with { Name = "Chang", Attributes = again }, ProductStatus.Active, s_later));
        Assert.True(product.Change(s_chai with { Name = "Chang" }, ProductStatus.Discontinued, s_later));
        Assert.Equal((ProductStatus.Discontinued, 4L), (product.Status, product.Version));
    }

    [Fact]
    public void Its_time_never_goes_back_while_its_version_grows()
    {
        var product = Product.Create(s_chai, s_later);

        Assert.True(product.Change(s_chai with { Name = "Chang" }, ProductStatus.Active, s_then));
        Assert.Equal((2L, s_later), (product.Version, product.UpdatedAt));
        product.Delete(s_then);
        Assert.Equal((3L, s_later), (product.Version, product.UpdatedAt));
    }

    [Fact]
    public void Is_never_changed_after_its_deletion()
    {
        var product = Product.Create(s_chai, s_then);
        product.Delete(s_later);

        Assert.Equal((ProductStatus.Deleted, 2L, s_later), (product.Status, product.Version, product.UpdatedAt));
        Assert.Throws<InvalidOperationException>(() => product.Change(s_chai, ProductStatus.Active, s_later));
        Assert.Throws<InvalidOperationException>(() => product.Delete(s_later));
    }

    [Fact]
    public void Is_not_deleted_by_a_change() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Product.Create(s_chai, s_then).Change(s_chai, ProductStatus.Deleted, s_later));
}

using OrderInventory.Contracts.Inventory;
using OrderInventory.Inventory.Domain;

namespace OrderInventory.Inventory.Tests;

public class StockItemTests
{
    private static StockItem Item(long onHand, long reserved, long threshold = 0) =>
        new(Guid.CreateVersion7(), StockItem.DefaultLocation, onHand, reserved, threshold, version: 7);

    [Fact]
    public void Reserving_lowers_available_and_keeps_on_hand()
    {
        var item = Item(10, 2);
        item.Reserve(8);
        Assert.Equal((10, 10, 0), (item.OnHand, item.Reserved, item.Available));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(0)]
    [InlineData(-1)]
    public void Reserving_more_than_available_or_nothing_throws_and_changes_nothing(long quantity)
    {
        var item = Item(10, 2);
        Assert.Throws<InvalidOperationException>(() => item.Reserve(quantity));
        Assert.Equal((10, 2, false), (item.OnHand, item.Reserved, item.IsChanged));
    }

    [Fact]
    public void Releasing_more_than_is_reserved_throws() => Assert.Throws<InvalidOperationException>(() => Item(10, 2).Release(3));

    [Fact]
    public void Shipping_lowers_on_hand_and_reserved()
    {
        var item = Item(10, 4);
        item.Ship(3);
        Assert.Equal((7, 1, 6), (item.OnHand, item.Reserved, item.Available));
    }

    [Fact]
    public void On_hand_cannot_be_less_than_reserved()
    {
        var item = Item(10, 4);
        Assert.False(item.TrySetOnHand(3));
        Assert.Equal((10, false), (item.OnHand, item.IsChanged));
        Assert.True(item.TrySetOnHand(4));
    }

    [Fact]
    public void The_version_grows_once_however_many_changes_a_batch_has()
    {
        var item = Item(10, 0);
        item.Reserve(1);
        item.Reserve(1);
        item.Release(1);
        Assert.Equal(8, item.Version);
    }

    [Theory]
    [InlineData(12, 10, 2, LowStockCrossing.Entered)]
    [InlineData(12, 10, 1, null)]
    [InlineData(10, 10, 1, null)]
    [InlineData(10, 0, 10, null)]
    public void A_crossing_of_the_threshold_is_reported_once(long onHand, long threshold, long reserve, LowStockCrossing? expected)
    {
        var item = Item(onHand, 0, threshold);
        var product = new ProductStock(item.ProductId, [item]);
        item.Reserve(reserve);
        Assert.Equal(expected, product.Crossing);
    }

    [Fact]
    public void Leaving_low_stock_is_reported()
    {
        var item = Item(10, 5, threshold: 5);
        var product = new ProductStock(item.ProductId, [item]);
        item.Release(1);
        Assert.Equal(LowStockCrossing.Left, product.Crossing);
    }
}

using OrderInventory.Contracts.Orders;

namespace OrderInventory.Orders.Tests;

public class EventSizeTests
{
    /// <summary>What librdkafka and brokers take unless they are told otherwise (message.max.bytes), with room for key and headers.</summary>
    private const int MaxRecord = 1_000_000 - 10_000;

    [Fact]
    public void The_largest_order_with_the_largest_revision_is_a_record_that_brokers_take()
    {
        // 500 lines; SKUs of 64 and names of 200 characters, in a script whose letters take three bytes.
        var line = new OrderLine(Guid.CreateVersion7(), new('S', 64), new('\u8336', 200), int.MaxValue, new(999_999_999_999.99m, "EUR"));
        var lines = Enumerable.Repeat(line, 500).ToList();
        var shortages = new Rejection(Rejection.InsufficientStock, [.. lines.Select(l => new Shortage(l.ProductId, 1_000_000_000_000, 1_000_000_000_000))]);
        var order = new OrderUpdated(
            Guid.CreateVersion7(), long.MaxValue, Guid.CreateVersion7(), OrderStatus.RevisionPending, OrderStatus.Confirmed, Guid.CreateVersion7(), lines,
            line.UnitPrice, new('\u8336', 500), new(RevisionStatus.Rejected, lines, shortages), null, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);

        var record = OrderEvents.Updated.Serialize(order);

        Assert.InRange(record.Length, 500_000, MaxRecord);
    }
}

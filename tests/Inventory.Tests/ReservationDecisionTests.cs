using OrderInventory.Contracts;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Features;

namespace OrderInventory.Inventory.Tests;

/// <summary>The reservation decisions, without a database.</summary>
public class ReservationDecisionTests
{
    private static readonly Guid s_tea = Guid.CreateVersion7();
    private static readonly Guid s_rice = Guid.CreateVersion7();
    private static readonly DateTimeOffset s_now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    private readonly Guid _order = Guid.CreateVersion7();

    private static Stock Stock(long tea, long rice = 0) => new(
        s_now,
        [new(s_tea, StockItem.DefaultLocation, tea, 0, 0, 1), new(s_rice, StockItem.DefaultLocation, rice, 0, 0, 1)]);

    private static OrderLine Line(Guid product, int quantity) => new(product, "SKU", "Name", quantity, new Money(1m, "EUR"));

    private OrderCreated Created(params OrderLine[] lines) =>
        new(_order, 1, Guid.CreateVersion7(), OrderStatus.Pending, null, lines, new(1m, "EUR"), s_now);

    private OrderUpdated Updated(long version, OrderStatus status, OrderLine[] lines, OrderLine[]? revised = null) => new(
        _order, version, Guid.CreateVersion7(), status, OrderStatus.Confirmed, null, lines, new(1m, "EUR"), null,
        revised is null ? null : new(RevisionStatus.Pending, revised, null), null, s_now, s_now);

    [Fact]
    public void An_order_is_reserved_completely()
    {
        var stock = Stock(tea: 10, rice: 5);
        var decision = OrderCreatedHandler.Apply(Created(Line(s_tea, 3), Line(s_rice, 5)), Guid.CreateVersion7(), stock)!;
        Assert.Equal(ReservationOutcome.Reserved, decision.Outcome);
        Assert.Equal((7, 0), (stock.Available(s_tea), stock.Available(s_rice)));
        Assert.Equal(2, stock.Movements.Count);
    }

    [Fact]
    public void A_shortage_of_one_line_reserves_nothing_of_the_others()
    {
        var stock = Stock(tea: 10, rice: 4);
        var decision = OrderCreatedHandler.Apply(Created(Line(s_tea, 3), Line(s_rice, 5)), Guid.CreateVersion7(), stock)!;
        Assert.Equal(ReservationOutcome.Rejected, decision.Outcome);
        Assert.Equal([new Shortage(s_rice, 5, 4)], decision.Shortages);
        Assert.Empty(stock.Changed);
    }

    [Fact]
    public void Two_lines_of_one_product_are_added_up()
    {
        var stock = Stock(tea: 10);
        var decision = OrderCreatedHandler.Apply(Created(Line(s_tea, 6), Line(s_tea, 6)), Guid.CreateVersion7(), stock)!;
        Assert.Equal([new Shortage(s_tea, 12, 10)], decision.Shortages);
    }

    [Fact]
    public void Expired_holds_are_released_only_when_an_order_needs_their_units()
    {
        var hold = Guid.CreateVersion7();
        var stock = new Stock(s_now, [new(s_tea, StockItem.DefaultLocation, 10, 4, 0, 1)])
        {
            DueLines = [new(hold, new(s_tea, StockItem.DefaultLocation, 4)), new(hold, new(s_rice, StockItem.DefaultLocation, 4))],
        };
        OrderCreatedHandler.Apply(Created(Line(s_tea, 6)), Guid.CreateVersion7(), stock);
        Assert.Empty(stock.ExpiredLines);

        var order = Guid.CreateVersion7();
        var decision = OrderCreatedHandler.Apply(Created(Line(s_tea, 4)) with { OrderId = order }, Guid.CreateVersion7(), stock)!;
        Assert.Equal((ReservationOutcome.Reserved, 0L), (decision.Outcome, stock.Available(s_tea)));
        // No level has the rice of the hold, so the stock records are inconsistent there: that line is left to the sweeper, which reports it.
        Assert.Equal(s_tea, Assert.Single(stock.ExpiredLines).Line.ProductId);
        Assert.Equal([(MovementKind.Reserved, 6L, null), (MovementKind.HoldExpired, -4L, hold), (MovementKind.Reserved, 4L, (Guid?)null)],
            stock.Movements.Select(m => (m.Kind, m.ReservedDelta, m.HoldId)));
    }

    [Fact]
    public void A_product_without_a_stock_record_has_none()
    {
        var unknown = Guid.CreateVersion7();
        var decision = OrderCreatedHandler.Apply(Created(Line(unknown, 1)), Guid.CreateVersion7(), Stock(tea: 10))!;
        Assert.Equal([new Shortage(unknown, 1, 0)], decision.Shortages);
    }

    [Fact]
    public void A_repeated_order_makes_no_decision()
    {
        var stock = Stock(tea: 10);
        var created = Created(Line(s_tea, 3));
        OrderCreatedHandler.Apply(created, Guid.CreateVersion7(), stock);
        Assert.Null(OrderCreatedHandler.Apply(created, Guid.CreateVersion7(), stock));
        Assert.Equal(7, stock.Available(s_tea));
    }

    [Theory]
    [InlineData(OrderStatus.CancelPending)]
    [InlineData(OrderStatus.Expired)]
    public void A_cancel_or_an_expiry_releases_the_reservation(OrderStatus status)
    {
        var stock = Stock(tea: 10);
        OrderCreatedHandler.Apply(Created(Line(s_tea, 3)), Guid.CreateVersion7(), stock);
        var decision = OrderUpdatedHandler.Apply(Updated(3, status, [Line(s_tea, 3)]), Guid.CreateVersion7(), stock)!;
        Assert.Equal((ReservationOutcome.Released, 3L), (decision.Outcome, decision.OrderVersion));
        Assert.Equal(10, stock.Available(s_tea));
    }

    [Theory]
    [InlineData(OrderStatus.CancelPending)]
    [InlineData(OrderStatus.Expired)]
    public void A_cancel_or_an_expiry_that_comes_before_its_order_leaves_a_tombstone(OrderStatus status)
    {
        var stock = Stock(tea: 10);
        var decision = OrderUpdatedHandler.Apply(Updated(2, status, [Line(s_tea, 3)]), Guid.CreateVersion7(), stock)!;
        Assert.Equal(ReservationOutcome.Released, decision.Outcome);
        Assert.Null(OrderCreatedHandler.Apply(Created(Line(s_tea, 3)), Guid.CreateVersion7(), stock));
        Assert.Equal(10, stock.Available(s_tea));
    }

    [Fact]
    public void A_revision_moves_the_difference_only()
    {
        var stock = Stock(tea: 10, rice: 5);
        OrderCreatedHandler.Apply(Created(Line(s_tea, 8)), Guid.CreateVersion7(), stock);
        var decision = OrderUpdatedHandler.Apply(Updated(3, OrderStatus.RevisionPending, [Line(s_tea, 8)], [Line(s_tea, 10), Line(s_rice, 1)]), Guid.CreateVersion7(), stock)!;
        Assert.Equal(ReservationOutcome.Revised, decision.Outcome);
        Assert.Equal((0, 4), (stock.Available(s_tea), stock.Available(s_rice)));
        Assert.Equal([8L, 2, 1], stock.Movements.Select(m => m.ReservedDelta));
    }

    [Fact]
    public void A_revision_without_enough_stock_keeps_the_reservation()
    {
        var stock = Stock(tea: 10);
        OrderCreatedHandler.Apply(Created(Line(s_tea, 8)), Guid.CreateVersion7(), stock);
        var decision = OrderUpdatedHandler.Apply(Updated(3, OrderStatus.RevisionPending, [Line(s_tea, 8)], [Line(s_tea, 11)]), Guid.CreateVersion7(), stock)!;
        Assert.Equal(ReservationOutcome.RevisionRejected, decision.Outcome);
        Assert.Equal([new Shortage(s_tea, 11, 10)], decision.Shortages);
        Assert.Equal([new ReservedLine(s_tea, StockItem.DefaultLocation, 8)], decision.Lines);
        Assert.Equal(2, stock.Available(s_tea));
    }

    [Fact]
    public void A_cancel_after_a_revision_releases_the_revised_lines()
    {
        var stock = Stock(tea: 10, rice: 5);
        OrderCreatedHandler.Apply(Created(Line(s_tea, 8)), Guid.CreateVersion7(), stock);
        OrderUpdatedHandler.Apply(Updated(3, OrderStatus.RevisionPending, [Line(s_tea, 8)], [Line(s_rice, 5)]), Guid.CreateVersion7(), stock);
        // Orders sent the cancel before it knew of the revision: the event still has the old lines.
        OrderUpdatedHandler.Apply(Updated(4, OrderStatus.CancelPending, [Line(s_tea, 8)], [Line(s_rice, 5)]), Guid.CreateVersion7(), stock);
        Assert.Equal((10, 5), (stock.Available(s_tea), stock.Available(s_rice)));
    }

    [Fact]
    public void Shipping_removes_the_units_from_on_hand()
    {
        var stock = Stock(tea: 10);
        OrderCreatedHandler.Apply(Created(Line(s_tea, 3)), Guid.CreateVersion7(), stock);
        var decision = OrderUpdatedHandler.Apply(Updated(3, OrderStatus.Shipped, [Line(s_tea, 3)]), Guid.CreateVersion7(), stock)!;
        Assert.Equal(ReservationOutcome.Shipped, decision.Outcome);
        Assert.Equal((7L, 0L), (stock.Item(s_tea)!.OnHand, stock.Item(s_tea)!.Reserved));
    }

    [Theory]
    [InlineData(OrderStatus.Confirmed, false)]
    [InlineData(OrderStatus.Rejected, false)]
    [InlineData(OrderStatus.Cancelled, false)]
    [InlineData(OrderStatus.Delivered, false)]
    [InlineData(OrderStatus.CancelPending, true)]
    [InlineData(OrderStatus.Expired, true)]
    [InlineData(OrderStatus.RevisionPending, true)]
    [InlineData(OrderStatus.Shipped, true)]
    public void Only_changes_that_move_stock_are_handled(OrderStatus status, bool concerns) =>
        Assert.Equal(concerns, OrderUpdatedHandler.Concerns(Updated(2, status, [])));
}

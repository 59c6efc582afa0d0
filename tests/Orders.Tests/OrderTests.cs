using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Domain;

namespace OrderInventory.Orders.Tests;

public class OrderTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    private static readonly Guid s_tea = Guid.CreateVersion7();
    private static readonly Shortage[] s_short = [new(s_tea, 3, 1)];

    private static OrderLine Line(int quantity, decimal price = 18.00m) => new(s_tea, "TEA", "Chai", quantity, new(price, "EUR"));

    private static Order Placed() => Order.Place(Guid.CreateVersion7(), Guid.CreateVersion7(), [Line(3), Line(1)], null, null, s_now);

    /// <summary>An order brought to a status by valid steps only.</summary>
    private static Order In(OrderStatus status)
    {
        var order = Placed();
        switch (status)
        {
            case OrderStatus.Pending:
                break;
            case OrderStatus.Rejected:
                order.Apply(ReservationOutcome.Rejected, 1, s_short, s_now);
                break;
            case OrderStatus.CancelPending:
                order.Cancel("x", s_now);
                break;
            case OrderStatus.Cancelled:
                order.Cancel("x", s_now);
                order.Apply(ReservationOutcome.Released, 2, [], s_now);
                break;
            default:
                order.Apply(ReservationOutcome.Reserved, 1, [], s_now);
                if (status == OrderStatus.RevisionPending)
                {
                    order.Revise([Line(5)], s_now);
                }

                if (status is OrderStatus.Shipped or OrderStatus.Delivered)
                {
                    order.Ship("DHL", "1", s_now);
                }

                if (status == OrderStatus.Delivered)
                {
                    order.Deliver(s_now);
                }

                break;
        }

        Assert.Equal(status, order.Status);
        return order;
    }

    [Fact]
    public void The_total_is_exact()
    {
        var order = Order.Place(Guid.CreateVersion7(), Guid.CreateVersion7(), [Line(3, 0.10m), Line(7, 0.20m)], null, null, s_now);
        Assert.Equal(1.70m, order.Total);
    }

    // Every status with every request: what is allowed, and nothing else.
    [Theory]
    [InlineData(OrderStatus.Pending, "cancel", OrderStatus.CancelPending)]
    [InlineData(OrderStatus.Confirmed, "cancel", OrderStatus.CancelPending)]
    [InlineData(OrderStatus.RevisionPending, "cancel", OrderStatus.CancelPending)]
    [InlineData(OrderStatus.CancelPending, "cancel", OrderStatus.CancelPending)]
    [InlineData(OrderStatus.Cancelled, "cancel", OrderStatus.Cancelled)]
    [InlineData(OrderStatus.Rejected, "cancel", null)]
    [InlineData(OrderStatus.Shipped, "cancel", null)]
    [InlineData(OrderStatus.Delivered, "cancel", null)]
    [InlineData(OrderStatus.Confirmed, "revise", OrderStatus.RevisionPending)]
    [InlineData(OrderStatus.Pending, "revise", null)]
    [InlineData(OrderStatus.RevisionPending, "revise", null)]
    [InlineData(OrderStatus.CancelPending, "revise", null)]
    [InlineData(OrderStatus.Cancelled, "revise", null)]
    [InlineData(OrderStatus.Rejected, "revise", null)]
    [InlineData(OrderStatus.Shipped, "revise", null)]
    [InlineData(OrderStatus.Confirmed, "ship", OrderStatus.Shipped)]
    [InlineData(OrderStatus.Shipped, "ship", OrderStatus.Shipped)]
    [InlineData(OrderStatus.Pending, "ship", null)]
    [InlineData(OrderStatus.RevisionPending, "ship", null)]
    [InlineData(OrderStatus.CancelPending, "ship", null)]
    [InlineData(OrderStatus.Delivered, "ship", null)]
    [InlineData(OrderStatus.Shipped, "deliver", OrderStatus.Delivered)]
    [InlineData(OrderStatus.Delivered, "deliver", OrderStatus.Delivered)]
    [InlineData(OrderStatus.Confirmed, "deliver", null)]
    [InlineData(OrderStatus.Cancelled, "deliver", null)]
    public void A_step_is_legal_or_changes_nothing(OrderStatus from, string wish, OrderStatus? to)
    {
        var order = In(from);
        var version = order.Version;
        var change = wish switch
        {
            "cancel" => order.Cancel("x", s_now),
            "revise" => order.Revise([Line(5)], s_now),
            "ship" => order.Ship(null, null, s_now),
            _ => order.Deliver(s_now),
        };

        Assert.Equal(to is null ? Change.Illegal : to == from ? Change.None : Change.Made, change);
        Assert.Equal(to ?? from, order.Status);
        Assert.Equal(version + (change == Change.Made ? 1 : 0), order.Version);
    }

    // Every outcome in every status, for the order's current version: only those listed count.
    public static TheoryData<OrderStatus, ReservationOutcome, OrderStatus> Outcomes
    {
        get
        {
            var counting = new Dictionary<(OrderStatus, ReservationOutcome), OrderStatus>
            {
                [(OrderStatus.Pending, ReservationOutcome.Reserved)] = OrderStatus.Confirmed,
                [(OrderStatus.Pending, ReservationOutcome.Rejected)] = OrderStatus.Rejected,
                [(OrderStatus.RevisionPending, ReservationOutcome.Revised)] = OrderStatus.Confirmed,
                [(OrderStatus.RevisionPending, ReservationOutcome.RevisionRejected)] = OrderStatus.Confirmed,
                [(OrderStatus.CancelPending, ReservationOutcome.Released)] = OrderStatus.Cancelled,
            };
            var data = new TheoryData<OrderStatus, ReservationOutcome, OrderStatus>();
            foreach (var status in Enum.GetValues<OrderStatus>().Where(s => s != OrderStatus.Expired))
            {
                foreach (var outcome in Enum.GetValues<ReservationOutcome>())
                {
                    data.Add(status, outcome, counting.GetValueOrDefault((status, outcome), status));
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Outcomes))]
    public void An_outcome_counts_only_for_an_order_that_waits_for_it(OrderStatus from, ReservationOutcome outcome, OrderStatus to)
    {
        var order = In(from);
        var change = order.Apply(outcome, order.Version, [], s_now);
        Assert.Equal(to, order.Status);
        Assert.Equal(from == to ? Change.None : Change.Made, change);
    }

    [Fact]
    public void An_answer_to_an_older_version_is_ignored()
    {
        var order = Placed();
        order.Cancel("x", s_now);
        Assert.Equal(Change.None, order.Apply(ReservationOutcome.Released, 1, [], s_now));
        Assert.Equal(Change.None, order.Apply(ReservationOutcome.Reserved, 1, [], s_now));
        Assert.Equal(OrderStatus.CancelPending, order.Status);
    }

    [Fact]
    public void A_pending_revision_changes_neither_lines_nor_total()
    {
        var order = In(OrderStatus.RevisionPending);
        Assert.Equal((2, 72.00m), (order.Lines.Count, order.Total));
        Assert.Equal(RevisionStatus.Pending, order.Revision!.Status);
    }

    [Fact]
    public void An_applied_revision_changes_lines_and_total()
    {
        var order = In(OrderStatus.RevisionPending);
        order.Apply(ReservationOutcome.Revised, order.Version, [], s_now);
        Assert.Equal((5, 90.00m), (order.Lines.Single().Quantity, order.Total));
        Assert.Equal(RevisionStatus.Applied, order.Revision!.Status);
    }

    [Fact]
    public void A_rejected_revision_leaves_the_order_as_it_was_and_says_why()
    {
        var order = In(OrderStatus.RevisionPending);
        var items = order.Items;
        order.Apply(ReservationOutcome.RevisionRejected, order.Version, s_short, s_now);
        Assert.Equal((2, 72.00m, items), (order.Lines.Count, order.Total, order.Items));
        Assert.Equal(s_short, order.Revision!.Rejection!.Lines);
        Assert.Null(order.Rejection);
    }
}

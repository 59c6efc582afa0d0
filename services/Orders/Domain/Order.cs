using OrderInventory.Contracts;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;

namespace OrderInventory.Orders.Domain;

/// <summary>
/// An order and its state machine: <c>Pending → Confirmed | Rejected | Expired</c>; <c>Pending, Confirmed, RevisionPending →
/// CancelPending → Cancelled</c>; <c>Confirmed → RevisionPending → Confirmed</c>; <c>Confirmed → Shipped → Delivered</c>. A return
/// changes no status.
/// Expected refusals are returned as <see cref="Change"/>; every change raises the version by one. The setters are for the methods here and
/// for the code that reads a row.
/// </summary>
internal sealed class Order
{
    public Guid Id { get; internal set; }
    public Guid CustomerId { get; internal set; }
    public OrderStatus Status { get; internal set; }
    public long Version { get; internal set; }

    /// <summary>ISO 4217; an order has one currency.</summary>
    public string Currency { get; internal set; } = "";

    public decimal Total { get; internal set; }
    public Guid? HoldId { get; internal set; }

    /// <summary>The reason that was given for the last change.</summary>
    public string? Reason { get; internal set; }

    public Rejection? Rejection { get; internal set; }
    public Revision? Revision { get; internal set; }
    public string? Carrier { get; internal set; }
    public string? TrackingNumber { get; internal set; }

    /// <summary>The delivery address. Personal data: in no event, and removed when the customer is erased.</summary>
    public ShipTo? ShipTo { get; internal set; }

    /// <summary>Whether <see cref="ShipTo"/> was removed because the customer was erased; free text then goes once the order is final.</summary>
    public bool ShipToErased { get; internal set; }

    /// <summary>What came back after shipping, oldest first.</summary>
    public IReadOnlyList<OrderReturn> Returns { get => field ?? []; internal set; }

    public DateTimeOffset PlacedAt { get; internal set; }
    public DateTimeOffset UpdatedAt { get; internal set; }

    /// <summary>The rows of <see cref="Lines"/>, in any order.</summary>
    public List<OrderItem> Items { get; internal set; } = [];

    public IReadOnlyList<OrderLine> Lines =>
        [.. Items.OrderBy(i => i.LineNo).Select(i => new OrderLine(i.ProductId, i.Sku, i.Name, i.Quantity, new(i.UnitPrice, Currency)))];

    public Money TotalPrice => new(Total, Currency);

    /// <summary>Whether the order can no longer change, except by a return.</summary>
    public bool IsFinal => Status is OrderStatus.Rejected or OrderStatus.Expired or OrderStatus.Cancelled or OrderStatus.Delivered;

    public static Order Place(Guid id, Guid customerId, IReadOnlyList<OrderLine> lines, Guid? holdId, ShipTo? shipTo, DateTimeOffset now) => new()
    {
        Id = id,
        CustomerId = customerId,
        Status = OrderStatus.Pending,
        Version = 1,
        Currency = lines[0].UnitPrice.Currency,
        Total = Sum(lines),
        Items = OrderItem.Of(id, lines),
        HoldId = holdId,
        ShipTo = shipTo,
        PlacedAt = now,
        UpdatedAt = now,
    };

    /// <summary>
    /// Applies Inventory's answer. It counts only for the version that waits for it: a late or repeated answer, or one for an order that was
    /// cancelled or has expired meanwhile, changes nothing. While a cancel is pending, only <c>released</c> ends it.
    /// </summary>
    public Change Apply(ReservationOutcome outcome, long orderVersion, IReadOnlyList<Shortage> shortages, DateTimeOffset now)
    {
        if (orderVersion != Version)
        {
            return Change.None;
        }

        switch (Status, outcome)
        {
            case (OrderStatus.Pending, ReservationOutcome.Reserved):
                return To(OrderStatus.Confirmed, null, now);
            case (OrderStatus.Pending, ReservationOutcome.Rejected):
                Rejection = new(Rejection.InsufficientStock, shortages);
                return To(OrderStatus.Rejected, null, now);
            case (OrderStatus.RevisionPending, ReservationOutcome.Revised):
                Items = OrderItem.Of(Id, Revision!.Lines);
                Total = Sum(Revision.Lines);
                Revision = Revision with { Status = RevisionStatus.Applied };
                return To(OrderStatus.Confirmed, null, now);
            case (OrderStatus.RevisionPending, ReservationOutcome.RevisionRejected):
                Revision = Revision! with { Status = RevisionStatus.Rejected, Rejection = new(Rejection.InsufficientStock, shortages) };
                return To(OrderStatus.Confirmed, null, now);
            case (OrderStatus.CancelPending, ReservationOutcome.Released):
                return To(OrderStatus.Cancelled, Reason, now);
            default:
                return Change.None;
        }
    }

    /// <summary>Requests a cancel; it is complete when Inventory has released the stock. Requesting it again changes nothing.</summary>
    public Change Cancel(string? reason, DateTimeOffset now) => Status switch
    {
        OrderStatus.CancelPending or OrderStatus.Cancelled => Change.None,
        OrderStatus.Pending or OrderStatus.Confirmed or OrderStatus.RevisionPending => To(OrderStatus.CancelPending, reason, now),
        _ => Change.Illegal,
    };

    /// <summary>Requests new lines; the confirmed lines, the total and the reservation stay valid until Inventory answers.</summary>
    public Change Revise(IReadOnlyList<OrderLine> lines, DateTimeOffset now)
    {
        if (Status != OrderStatus.Confirmed)
        {
            return Change.Illegal;
        }

        Revision = new(RevisionStatus.Pending, lines, null);
        return To(OrderStatus.RevisionPending, null, now);
    }

    /// <summary>The order has left the warehouse. A second call corrects carrier and tracking number; a value left out is unchanged.</summary>
    public Change Ship(string? carrier, string? trackingNumber, DateTimeOffset now)
    {
        (carrier, trackingNumber) = (carrier ?? Carrier, trackingNumber ?? TrackingNumber);
        if (Status == OrderStatus.Shipped && (carrier, trackingNumber) == (Carrier, TrackingNumber))
        {
            return Change.None;
        }

        if (Status is not (OrderStatus.Confirmed or OrderStatus.Shipped))
        {
            return Change.Illegal;
        }

        Carrier = carrier;
        TrackingNumber = trackingNumber;
        return To(OrderStatus.Shipped, null, now);
    }

    public Change Deliver(DateTimeOffset now) => Status switch
    {
        OrderStatus.Delivered => Change.None,
        OrderStatus.Shipped => To(OrderStatus.Delivered, null, now),
        _ => Change.Illegal,
    };

    /// <summary>No answer came in time. Inventory releases what it may have reserved when it receives the event.</summary>
    public Change Expire(DateTimeOffset now) =>
        Status == OrderStatus.Pending ? To(OrderStatus.Expired, "Inventory did not answer in time.", now) : Change.Illegal;

    /// <summary>
    /// The event can never reach Inventory, which therefore never sees this version: the order or its revision is rejected. A revision's
    /// lines are dropped, because they may be what made the event too large.
    /// </summary>
    public Change GiveUp(DateTimeOffset now)
    {
        switch (Status)
        {
            case OrderStatus.Pending:
                Rejection = new(Rejection.Undeliverable, []);
                return To(OrderStatus.Rejected, null, now);
            case OrderStatus.RevisionPending:
                Revision = new(RevisionStatus.Rejected, [], new(Rejection.Undeliverable, []));
                return To(OrderStatus.Confirmed, null, now);
            default:
                return Change.Illegal;
        }
    }

    /// <summary>Shipped units of the product that have not come back yet.</summary>
    public long Returnable(Guid productId) =>
        Items.Where(l => l.ProductId == productId).Sum(l => (long)l.Quantity)
        - Returns.SelectMany(r => r.Lines).Where(l => l.ProductId == productId).Sum(l => (long)l.Quantity);

    /// <summary>Goods came back. The caller has checked that they are <see cref="Returnable"/>; the status is unchanged.</summary>
    public Change Return(OrderReturn returned, string? reason, DateTimeOffset now)
    {
        if (Status is not (OrderStatus.Shipped or OrderStatus.Delivered))
        {
            return Change.Illegal;
        }

        Returns = [.. Returns, returned];
        return To(Status, reason, now);
    }

    private Change To(OrderStatus status, string? reason, DateTimeOffset now)
    {
        Status = status;
        Reason = reason;
        Version++;
        // Strictly increasing, even if the replicas' clocks differ: a later version has a later time.
        UpdatedAt = now > UpdatedAt ? now : UpdatedAt.AddMicroseconds(1);
        if (ShipToErased && IsFinal)
        {
            // Free text is no longer needed, and it may name the customer.
            (Reason, Carrier, TrackingNumber) = (null, null, null);
        }

        return Change.Made;
    }

    private static decimal Sum(IReadOnlyList<OrderLine> lines) => lines.Sum(line => line.Quantity * line.UnitPrice.Amount);
}

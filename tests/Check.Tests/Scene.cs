using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Tests;

/// <summary>
/// A small system that kept every promise: a confirmed order, a shipped order with one unit returned, an adjustment and a hold. Each test
/// breaks one part of it.
/// </summary>
internal sealed class Scene
{
    public static readonly Guid Customer = Id(1);
    public static readonly Guid Product = Id(2);
    public static readonly Guid Register = Id(3);
    public static readonly Guid Confirmed = Id(10);
    public static readonly Guid Shipped = Id(11);
    public static readonly Guid HoldId = Id(12);

    private const string Default = "default";
    private static readonly IReadOnlyList<Line> s_three = [new(Product, 3)];

    public List<HistoryLine> Lines { get; } =
    [
        Call(Op.Place, 0, 5) with { Key = "k-1", Customer = Customer, Lines = s_three, Order = Confirmed, Status = 201, Version = 1, State = "pending" },
        Call(Op.Place, 6, 9) with { Key = "k-2", Customer = Customer, Lines = s_three, Order = Shipped, Status = 201, Version = 1, State = "pending" },
        Call(Op.Read, 10, 12) with { Order = Confirmed, Status = 200, Version = 2, State = "confirmed" },
        Call(Op.Ship, 13, 15) with { Order = Shipped, Status = 200, Version = 3, State = "shipped" },
        Call(Op.Return, 16, 18) with { Key = "k-3", Order = Shipped, Status = 201, Version = 4, State = "shipped", Lines = [new(Product, 1)] },
        Call(Op.Hold, 19, 20) with { Key = "k-4", Hold = HoldId, Lines = [new(Product, 2)], Status = 201, Version = 1 },
        Call(Op.Adjust, 21, 22) with { Key = "k-5", Reference = "k-5", Product = Register, Delta = 5, OnHand = 15, Status = 201, Version = 2 },
        Call(Op.Stocktake, 23, 24) with { Key = "k-6", Reference = "k-6", Product = Register, Expected = 10, Counted = 9, OnHand = 15, Status = 409, Error = "unexpected-stock" },
        Call(Op.List, 25, 26) with { Customer = Customer, Status = 200, Items = [new(Shipped, 4), new(Confirmed, 2)], IsWhole = true },
    ];

    public SystemFacts Facts { get; set; } = new()
    {
        Orders =
        [
            new(Confirmed, Customer, "confirmed", 2, s_three, null, [], 0, null),
            new(Shipped, Customer, "shipped", 4, s_three, null, [new(Product, 1)], 1, null),
        ],
        OrderKeys = [new("k-1", Confirmed), new("k-2", Shipped)],
        Reservations =
        [
            new(Confirmed, 1, "reserved", [new(Product, Default, 3)], []),
            new(Shipped, 4, "shipped", [], [new(Product, Default, 2)]),
        ],
        Levels = [new(Product, Default, 18, 5, 7), new(Register, Default, 15, 0, 2)],
        Movements =
        [
            Moved(20, "set", 20, 0),
            Moved(21, "reserved", 0, 3, Confirmed, Id(30)),
            Moved(22, "reserved", 0, 3, Shipped, Id(31)),
            Moved(23, "shipped", -3, -3, Shipped, Id(35)),
            Moved(24, "returned", 1, 0, Shipped, Id(36)),
            Moved(25, "held", 0, 2) with { Hold = HoldId },
            Moved(26, "set", 10, 0) with { Product = Register },
            Moved(27, "adjusted", 5, 0) with { Product = Register, Reference = "k-5" },
        ],
        Holds = [new(HoldId, "live", null, [new(Product, 2)], [new(Product, Default, 2)])],
        Notifications = [Notified(30, "orderReceived", Confirmed), Notified(31, "orderReceived", Shipped), Notified(33, "orderConfirmed", Confirmed), Notified(34, "orderConfirmed", Shipped), Notified(35, "orderShipped", Shipped), Notified(36, "orderReturned", Shipped)],
        Inbox =
        [
            .. new[] { 30, 31, 35, 36 }.Select(n => new InboxFact("inventory", Id(n))),
            .. new[] { 30, 31, 33, 34, 35, 36 }.Select(n => new InboxFact("notifications", Id(n))),
            .. new[] { 40, 41, 42, 43 }.Select(n => new InboxFact("orders", Id(n))),
        ],
        Events =
        [
            new(Topics.OrderCreated, 0, 0, Confirmed, Id(30), 1, "pending", null, false, s_three),
            new(Topics.OrderCreated, 0, 1, Shipped, Id(31), 1, "pending", null, false, s_three),
            new(Topics.OrderUpdated, 0, 0, Confirmed, Id(33), 2, "confirmed", "pending"),
            new(Topics.OrderUpdated, 0, 1, Shipped, Id(34), 2, "confirmed", "pending"),
            new(Topics.OrderUpdated, 0, 2, Shipped, Id(35), 3, "shipped", "confirmed"),
            new(Topics.OrderUpdated, 0, 3, Shipped, Id(36), 4, "shipped", "shipped", true),
            new(Topics.Reservation, 0, 0, Confirmed, Id(40), 1),
            new(Topics.Reservation, 0, 1, Shipped, Id(41), 1),
            new(Topics.Reservation, 0, 2, Shipped, Id(42), 3),
            new(Topics.Reservation, 0, 3, Shipped, Id(43), 4),
            new(Topics.InventoryUpdated, 0, 0, Product, Id(50), 6),
            new(Topics.InventoryUpdated, 0, 1, Product, Id(51), 7),
            new(Topics.InventoryUpdated, 0, 2, Register, Id(52), 2),
        ],
    };

    /// <summary>A UUIDv7 whose time rises with the number.</summary>
    public static Guid Id(int number) => Guid.Parse($"{number:x12}-7000-8000-000000000000".Insert(8, "-"));

    public static Operation Call(Op op, double start, double end) => new() { Client = 1, Op = op, Intended = start, Start = start, End = end };

    public static MovementFact Moved(int id, string kind, long onHand, long reserved, Guid? order = null, Guid? cause = null) =>
        new(Product, Id(id), Default, kind, onHand, reserved, order, null, cause, null);

    /// <summary>The violations that the rules find.</summary>
    public IReadOnlyList<Violation> Check()
    {
        var run = new RunLine(DateTimeOffset.UnixEpoch, 1, [Customer], [Product], [new(Register, 10)]);
        for (var i = 0; i < Lines.Count; i++)
        {
            Lines[i].Number = i + 1;
        }

        return Checker.Check(new(run, Lines), Facts);
    }

    /// <summary>Replaces the operation that <paramref name="which"/> finds.</summary>
    public void Change(Func<Operation, bool> which, Func<Operation, Operation> change)
    {
        var at = Lines.FindIndex(line => line is Operation o && which(o));
        Lines[at] = change((Operation)Lines[at]);
    }

    private static NotificationFact Notified(int cause, string template, Guid order) => new(Id(100 + cause), Id(cause), template, "email", Customer.ToString(), order, "sent");
}

using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;
using OrderInventory.Check.Rules;
using static OrderInventory.Check.Tests.Scene;

namespace OrderInventory.Check.Tests;

/// <summary>Every rule can fail: each case breaks one promise, and the rule that guards it reports it.</summary>
public sealed class CheckerTests
{
    private static readonly (string Rule, string What, Action<Scene> Break)[] s_cases =
    [
        (OrderRules.Acknowledged, "an acknowledged order is lost", s => s.Facts = s.Facts with { Orders = [.. s.Facts.Orders.Where(o => o.Id != Confirmed)] }),
        (OrderRules.Acknowledged, "an acknowledged order has another customer", s => Order(s, Confirmed, o => o with { Customer = Id(99) })),
        (OrderRules.Acknowledged, "an order is published with other lines", s => Event(s, 30, e => e with { Lines = [new(Product, 4)] })),
        (AnswerRules.HaveRetryAfter, "a refusal without Retry-After", s => s.Lines.Add(Call(Op.Cancel, 30, 31) with { Order = Confirmed, Status = 503, Error = "overloaded" })),
        (OrderRules.Decided, "an order waits forever", s => Order(s, Confirmed, o => o with { Status = "pending" })),
        (OrderRules.WholeOrNothing, "an order without lines", s => Order(s, Confirmed, o => o with { Lines = [] })),
        (OrderRules.WholeOrNothing, "a refused request made an order", s => s.Change(o => o.Key == "k-1", o => o with { Status = 409, Error = "insufficient-stock", Order = null })),
        (OrderRules.WholeOrNothing, "a key without its order", s =>
        {
            s.Lines.Add(Call(Op.Place, 30, 31) with { Key = "k-9", Customer = Customer, Lines = [new(Product, 1)], Error = "timeout" });
            s.Facts = s.Facts with { OrderKeys = [.. s.Facts.OrderKeys, new("k-9", Id(98))] };
        }),
        (OrderRules.AcknowledgedChange, "a lost shipment", s => Order(s, Shipped, o => o with { Status = "confirmed" })),
        (OrderRules.AcknowledgedChange, "a lost cancellation", s => s.Lines.Add(Call(Op.Cancel, 30, 31) with { Order = Confirmed, Status = 202, Version = 3, State = "cancelPending" })),
        (OrderRules.AcknowledgedChange, "a lost revision", s => s.Lines.Add(Call(Op.Revise, 30, 31) with { Order = Confirmed, Status = 202, IfMatch = 2, Version = 3, State = "revisionPending" })),
        (OrderRules.AcknowledgedChange, "a return that was applied twice", s => Order(s, Shipped, o => o with { Returns = 2 })),
        (KeyRules.OneOrderPerKey, "a key that was answered with two orders", s => s.Lines.Add(((Operation)s.Lines[0]) with { Start = 30, End = 31, Order = Shipped })),
        (KeyRules.OneOrderPerKey, "an order without a key", s => s.Facts = s.Facts with { OrderKeys = [.. s.Facts.OrderKeys.Skip(1)] }),
        (KeyRules.OneOrderPerKey, "an order that was not requested", s => s.Facts = s.Facts with { OrderKeys = [s.Facts.OrderKeys[0] with { Key = "k-77" }, s.Facts.OrderKeys[1]] }),
        (ReadRules.NeverOlder, "a read that shows an older version than the read before it", s => s.Lines.Add(Call(Op.Read, 30, 31) with { Order = Shipped, Status = 200, Version = 3, State = "shipped" })),
        (ReadRules.NeverOlder, "a list that shows an older version than the read before it", s => s.Lines.Add(Call(Op.List, 30, 31) with { Customer = Customer, Status = 200, Items = [new(Shipped, 2), new(Confirmed, 2)], IsWhole = true })),
        (ReadRules.OneWriterPerVersion, "two changes to one version", s =>
        {
            var revise = Call(Op.Revise, 30, 31) with { Order = Confirmed, Status = 202, IfMatch = 2, Version = 3, State = "revisionPending" };
            s.Lines.AddRange([revise, revise with { Start = 32, End = 33 }]);
        }),
        (ReadRules.OneWriterPerVersion, "a change that skips a version", s => s.Lines.Add(Call(Op.Revise, 30, 31) with { Order = Confirmed, Status = 202, IfMatch = 2, Version = 4, State = "revisionPending" })),
        (ReadRules.CacheAge, "a level from before the cache's time", s => s.Lines.Add(Call(Op.ReadStock, 90_000, 90_001) with { Product = Register, Status = 200, Version = 1, OnHand = 10 })),
        (ReadRules.CacheAge, "recent orders from before the cache's time", s => s.Lines.Add(Call(Op.Recent, 90_000, 90_001) with { Customer = Customer, Status = 200, Items = [new(Shipped, 4)], IsWhole = true })),
        (ReadRules.Listed, "a list without an order", s => s.Lines.Add(Call(Op.List, 30, 31) with { Customer = Customer, Status = 200, Items = [new(Shipped, 4)], IsWhole = true })),
        (ReservationRules.OneReservation, "a confirmed order without a reservation", s => s.Facts = s.Facts with { Reservations = [s.Facts.Reservations[1]] }),
        (ReservationRules.OneReservation, "a reservation of other lines", s => Reservation(s, Confirmed, r => r with { Lines = [new(Product, "default", 2)] })),
        (ReservationRules.OneReservation, "a reservation without an order", s => s.Facts = s.Facts with { Reservations = [.. s.Facts.Reservations, new(Id(97), 1, "reserved", [], [])] }),
        (ReservationRules.OneReservation, "two reservations", s => s.Facts = s.Facts with { Reservations = [.. s.Facts.Reservations, s.Facts.Reservations[0]] }),
        (ReservationRules.OneReservation, "a cancelled order that still holds", s => Order(s, Confirmed, o => o with { Status = "cancelled" })),
        (ReservationRules.OneReservation, "a shipped order with too many units shipped", s => Reservation(s, Shipped, r => r with { Shipped = [new(Product, "default", 3)] })),
        (ReservationRules.Hold, "a lost hold", s => s.Facts = s.Facts with { Holds = [] }),
        (ReservationRules.Hold, "a hold with other units", s => s.Facts = s.Facts with { Holds = [s.Facts.Holds[0] with { Held = [] }] }),
        (ReservationRules.Hold, "a hold that its order has not consumed", s => Order(s, Confirmed, o => o with { Hold = HoldId })),
        (StockRules.ReservedIsHeld, "reserved units that nobody holds", s => Level(s, Product, l => l with { Reserved = 6 })),
        (StockRules.LevelIsLedger, "a level that its ledger does not explain", s => Level(s, Product, l => l with { OnHand = 17 })),
        (StockRules.NeverOversold, "more reserved than on hand", s => Level(s, Product, l => l with { OnHand = 4 })),
        (StockRules.NeverOversold, "more reserved than on hand at an earlier time", s => s.Facts = s.Facts with { Movements = [.. s.Facts.Movements.Skip(1), s.Facts.Movements[0]] }),
        (StockRules.OrderMovesOnce, "an order that reserved twice", s => s.Facts = s.Facts with { Movements = [.. s.Facts.Movements, Moved(60, "reserved", 0, 3, Confirmed, Id(61))] }),
        (StockRules.OrderMovesOnce, "a shipped order whose units are still on hand", s => s.Facts = s.Facts with { Movements = [.. s.Facts.Movements.Select(m => m.Kind == "shipped" ? m with { OnHand = 0 } : m)] }),
        (StockRules.OrderMovesOnce, "a return that was not restocked", s => s.Facts = s.Facts with { Movements = [.. s.Facts.Movements.Where(m => m.Kind != "returned")] }),
        (StockRules.EventMovesOnce, "an event that moved stock twice", s => s.Facts = s.Facts with { Movements = [.. s.Facts.Movements, s.Facts.Movements[1] with { Id = Id(60) }] }),
        (StockRules.StaffMovesOnce, "an adjustment without a movement", s => s.Facts = s.Facts with { Movements = [.. s.Facts.Movements.Where(m => m.Kind != "adjusted")] }),
        (StockRules.StaffMovesOnce, "an adjustment with two movements", s => s.Facts = s.Facts with { Movements = [.. s.Facts.Movements, s.Facts.Movements[^1] with { Id = Id(60) }] }),
        (StockRules.StaffMovesOnce, "a refused stocktake with a movement", s => s.Facts = s.Facts with { Movements = [.. s.Facts.Movements, Moved(60, "counted", -1, 0) with { Product = Register, Reference = "k-6" }] }),
        (StockRules.StaffMovesOnce, "an adjustment of other units", s => s.Change(o => o.Key == "k-5", o => o with { Delta = 4 })),
        (StockRules.StaffMovesOnce, "an adjustment that was not requested", s => s.Facts = s.Facts with { Movements = [.. s.Facts.Movements, Moved(60, "adjusted", 1, 0) with { Reference = "x" }] }),
        (EventRules.Published, "a row that no relay published", s => s.Facts = s.Facts with { Outbox = [new("orders", Id(60), Topics.OrderUpdated, Confirmed.ToString())] }),
        (EventRules.Published, "a version without an event", s => s.Facts = s.Facts with { Events = [.. s.Facts.Events.Where(e => e.Id != Id(33))] }),
        (EventRules.Published, "an event of an unknown order", s => s.Facts = s.Facts with { Events = [.. s.Facts.Events, s.Facts.Events[0] with { Key = Id(96), Id = Id(60), Offset = 9 }] }),
        (EventRules.Published, "two events of one version", s => s.Facts = s.Facts with { Events = [.. s.Facts.Events, s.Facts.Events[0] with { Id = Id(60), Offset = 9 }] }),
        (EventRules.Published, "a change of stock without an event", s => s.Facts = s.Facts with { Events = [.. s.Facts.Events.Where(e => e.Id != Id(51))] }),
        (EventRules.Published, "a decision without an event", s => s.Facts = s.Facts with { Events = [.. s.Facts.Events.Where(e => e.Id != Id(40))] }),
        (EventRules.InOrder, "a later version first", s => s.Facts = s.Facts with { Events = [.. s.Facts.Events.Where(e => e.Id != Id(50)), s.Facts.Events.Single(e => e.Id == Id(50)) with { Offset = 9 }] }),
        (EventRules.InOrder, "one key in two partitions", s => Event(s, 51, e => e with { Partition = 1 })),
        (EventRules.Handled, "an event that a service has not handled", s => s.Facts = s.Facts with { Inbox = [.. s.Facts.Inbox.Where(row => row != new InboxFact("inventory", Id(30)))] }),
        (EventRules.NoDeadLetter, "a valid event that became a dead letter", s => s.Facts = s.Facts with { DeadLetters = [new("orders", Id(60), Topics.Reservation, Id(40).ToString(), "why")] }),
        (EventRules.NoDeadLetter, "a poison message without a dead letter", s => s.Lines.Add(new FaultLine(1, 2, "poison", Topics.OrderCreated, [Id(60).ToString()]))),
        (NotificationRules.OnePerEvent, "an event without a notification", s => s.Facts = s.Facts with { Notifications = [.. s.Facts.Notifications.Skip(1)] }),
        (NotificationRules.OnePerEvent, "an event with two notifications", s => s.Facts = s.Facts with { Notifications = [.. s.Facts.Notifications, s.Facts.Notifications[0] with { Id = Id(60) }] }),
        (NotificationRules.OnePerEvent, "a notification of the wrong kind", s => s.Facts = s.Facts with { Notifications = [s.Facts.Notifications[0] with { Template = "orderRejected" }, .. s.Facts.Notifications.Skip(1)] }),
        (NotificationRules.OnePerEvent, "a notification of an unknown event", s => s.Facts = s.Facts with { Notifications = [.. s.Facts.Notifications, s.Facts.Notifications[0] with { Id = Id(60), Event = Id(61) }] }),
        (RegisterRules.Linearizable, "a refused stocktake that shows a quantity that never existed", s => s.Change(o => o.Key == "k-6", o => o with { OnHand = 12 })),
        (RegisterRules.Linearizable, "an adjustment that was lost", s => Level(s, Register, l => l with { OnHand = 10 })),
    ];

    public static TheoryData<string> Cases => [.. s_cases.Select(c => c.What)];

    [Fact]
    public void A_system_that_kept_every_promise_has_no_violation() => Assert.Empty(new Scene().Check());

    [Fact]
    public void Every_rule_has_a_case() => Assert.Equal(Checker.Rules.Select(rule => rule.Name).Order(), s_cases.Select(c => c.Rule).Distinct().Order());

    [Theory]
    [MemberData(nameof(Cases))]
    public void Finds(string what)
    {
        var (rule, _, spoil) = s_cases.Single(c => c.What == what);
        var scene = new Scene();
        spoil(scene);
        var found = scene.Check();
        Assert.True(found.Any(violation => violation.Rule == rule), $"Not found by '{rule}', but: {string.Join("; ", found.Select(violation => $"{violation.Rule}: {violation.Text}"))}");
    }

    private static void Order(Scene s, Guid id, Func<OrderFact, OrderFact> change) => s.Facts = s.Facts with { Orders = [.. s.Facts.Orders.Select(o => o.Id == id ? change(o) : o)] };

    private static void Reservation(Scene s, Guid id, Func<ReservationFact, ReservationFact> change) =>
        s.Facts = s.Facts with { Reservations = [.. s.Facts.Reservations.Select(r => r.Order == id ? change(r) : r)] };

    private static void Level(Scene s, Guid product, Func<LevelFact, LevelFact> change) => s.Facts = s.Facts with { Levels = [.. s.Facts.Levels.Select(l => l.Product == product ? change(l) : l)] };

    private static void Event(Scene s, int id, Func<EventFact, EventFact> change) => s.Facts = s.Facts with { Events = [.. s.Facts.Events.Select(e => e.Id == Id(id) ? change(e) : e)] };
}

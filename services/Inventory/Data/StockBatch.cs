using System.Text.Json;
using Npgsql;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Inventory.Data;

/// <summary>A location as far as stock cares: the lowest number is taken first, and nothing new is promised from an inactive one.</summary>
internal sealed record LocationRank(int Priority, bool Active);

/// <summary>
/// The rows that one transaction decides on. All of them are locked once: orders, then products, then holds, and each in the order of
/// their ids, so two transactions never wait for each other in a circle; then everything is decided in memory, and each row is written
/// once. A hold is locked only after the products that it holds, so whoever has a product's rows also has its share of every hold.
/// </summary>
internal sealed partial class StockBatch
{
    private static readonly IReadOnlyDictionary<string, LocationRank> s_defaultOnly =
        new Dictionary<string, LocationRank> { [StockItem.DefaultLocation] = new(0, true) };

    private readonly Dictionary<Guid, Reservation> _reservations = [];
    private readonly SortedDictionary<Guid, ProductStock> _products = [];
    private readonly Dictionary<Guid, Hold> _holds = [];
    private readonly List<StockMovement> _movements = [];
    private readonly Dictionary<Guid, ReceivedEvent> _lastCause = [];

    internal StockBatch(
        DateTimeOffset now, IEnumerable<StockItem> items, IEnumerable<Reservation> reservations, IEnumerable<Hold>? holds = null,
        IReadOnlyDictionary<string, LocationRank>? locations = null)
    {
        Now = now;
        Locations = locations ?? s_defaultOnly;
        foreach (var product in items.GroupBy(item => item.ProductId))
        {
            _products.Add(product.Key, new(product.Key, product));
        }

        foreach (var reservation in reservations)
        {
            _reservations.Add(reservation.OrderId, reservation);
        }

        foreach (var hold in holds ?? [])
        {
            _holds.Add(hold.Id, hold);
        }
    }

    /// <summary>The clock's time after everything was locked. What is written of a product or an order is never earlier than what was.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>From which locations an order is served.</summary>
    public AllocationPolicy Policy { get; init; }

    /// <summary>The locations that there are, by code.</summary>
    public IReadOnlyDictionary<string, LocationRank> Locations { get; }

    /// <summary>
    /// Whether some hold's time is over and its units are not given back yet. Then a shortage is one only after <see cref="ExpireDueHoldsAsync"/>.
    /// </summary>
    public bool HasDueHolds { get; private set; }

    /// <summary>What is known of the order; an empty reservation when nothing is.</summary>
    public Reservation Reservation(Guid orderId) =>
        _reservations.TryGetValue(orderId, out var reservation) ? reservation : _reservations[orderId] = new(orderId);

    /// <summary>The hold, locked, or null when there is none of this id.</summary>
    public Hold? Hold(Guid holdId) => _holds.GetValueOrDefault(holdId);

    /// <summary>The product's stock at all its locations, or null when there is no record of it.</summary>
    public ProductStock? Product(Guid productId) => _products.GetValueOrDefault(productId);

    /// <summary>The product's stock at one location, or null when there is no record of it.</summary>
    public StockItem? Item(Guid productId, string location = StockItem.DefaultLocation) => Product(productId)?.At(location);

    /// <summary>What can be promised of the product.</summary>
    public long Available(Guid productId) => Product(productId)?.SellableUnits ?? 0;

    /// <summary>Makes the stock record that is not there yet.</summary>
    public StockItem Create(Guid productId, string location = StockItem.DefaultLocation)
    {
        var rank = Locations.GetValueOrDefault(location) ?? new(0, false);
        if (!_products.TryGetValue(productId, out var product))
        {
            _products.Add(productId, product = new(productId, []));
        }

        var item = new StockItem(productId, location, 0, 0, product.LowStockThreshold, 0) { Priority = rank.Priority, Active = rank.Active };
        product.Add(item);
        return item;
    }

    /// <summary>What is short of the wanted units, when <paramref name="ownUnits"/> count as available.</summary>
    public List<Shortage> Shortages(IReadOnlyCollection<KeyValuePair<Guid, long>> wanted, IReadOnlyList<ReservedLine> ownUnits)
    {
        var shortages = new List<Shortage>();
        foreach (var (productId, quantity) in wanted)
        {
            var available = Available(productId);
            foreach (var own in ownUnits)
            {
                // What is promised from a location that has become inactive stays promised; it only is not given out anew.
                if (own.ProductId == productId)
                {
                    available += own.Quantity;
                }
            }

            if (quantity > available)
            {
                shortages.Add(new(productId, quantity, available));
            }
        }

        return shortages;
    }

    /// <summary>Promises units, of which <see cref="Shortages"/> has seen that they are there.</summary>
    public IReadOnlyList<ReservedLine> Reserve(
        IReadOnlyCollection<KeyValuePair<Guid, long>> wanted, IReadOnlyList<ReservedLine> preferred, MovementKind kind, ReceivedEvent? cause, Guid? orderId, Guid? holdId)
    {
        var lines = Allocation.Choose(wanted, productId => Product(productId)!, Policy, preferred);
        foreach (var line in lines)
        {
            var item = Locked(line);
            item.Reserve(line.Quantity);
            Record(item, kind, 0, line.Quantity, cause, orderId, holdId: holdId);
        }

        return lines;
    }

    /// <summary>A line that <see cref="Release"/> would stumble over, because the level has less than it: the books are broken then.</summary>
    public ReservedLine? FindUnreleasable(IEnumerable<ReservedLine> lines) =>
        lines.FirstOrDefault(line => Item(line.ProductId, line.Location) is not { } item || item.Reserved < line.Quantity);

    /// <summary>Gives promised units back, where they are.</summary>
    public void Release(IEnumerable<ReservedLine> lines, MovementKind kind, ReceivedEvent? cause, Guid? orderId, Guid? holdId)
    {
        foreach (var line in lines)
        {
            var item = Locked(line);
            item.Release(line.Quantity);
            Record(item, kind, 0, -line.Quantity, cause, orderId, holdId: holdId);
        }
    }

    /// <summary>Promised units leave the warehouse, from where they are.</summary>
    public void Ship(IEnumerable<ReservedLine> lines, ReceivedEvent? cause, Guid? orderId)
    {
        foreach (var line in lines)
        {
            var item = Locked(line);
            item.Ship(line.Quantity);
            Record(item, MovementKind.Shipped, -line.Quantity, -line.Quantity, cause, orderId);
        }
    }

    /// <summary>
    /// Makes what is promised be what is wanted, moving only the difference of each product: more is allocated, less is given back from
    /// the locations that would have been taken last.
    /// </summary>
    public IReadOnlyList<ReservedLine> Change(
        IReadOnlyList<ReservedLine> held, IReadOnlyDictionary<Guid, long> wanted, (MovementKind More, MovementKind Less) kinds, ReceivedEvent? cause, Guid? orderId, Guid? holdId)
    {
        var result = new List<ReservedLine>(wanted.Count);
        var more = new List<KeyValuePair<Guid, long>>();
        foreach (var product in held.GroupBy(line => line.ProductId))
        {
            var tooMuch = product.Sum(line => line.Quantity) - wanted.GetValueOrDefault(product.Key);
            foreach (var line in product.OrderByDescending(line => Locked(line).Priority).ThenByDescending(line => line.Location, StringComparer.Ordinal))
            {
                var back = Math.Clamp(tooMuch, 0, line.Quantity);
                if (back > 0)
                {
                    Release([line with { Quantity = back }], kinds.Less, cause, orderId, holdId);
                }

                if (back < line.Quantity)
                {
                    result.Add(line with { Quantity = line.Quantity - back });
                }

                tooMuch -= back;
            }

            if (tooMuch < 0)
            {
                more.Add(new(product.Key, -tooMuch));
            }
        }

        more.AddRange(wanted.Where(line => held.All(h => h.ProductId != line.Key)));
        foreach (var line in Reserve(more, [], kinds.More, cause, orderId, holdId))
        {
            Allocation.Add(result, line);
        }

        return result;
    }

    /// <summary>Lets a hold go: its units are free, or about to become the order's.</summary>
    public void EndHold(Hold hold, HoldStatus status, ReceivedEvent? cause = null, Guid? orderId = null)
    {
        Release(hold.Lines, status == HoldStatus.Expired ? MovementKind.HoldExpired : MovementKind.HoldReleased, cause, orderId, hold.Id);
        hold.End(status, orderId);
    }

    public void Record(
        StockItem item, MovementKind kind, long onHandDelta, long reservedDelta, ReceivedEvent? cause = null, Guid? orderId = null,
        string? reason = null, string? reference = null, Guid? holdId = null)
    {
        var at = Product(item.ProductId)!.NextTime(Now);
        _movements.Add(new()
        {
            ProductId = item.ProductId,
            Id = StockMovement.NewId(at),
            Location = item.Location,
            Kind = kind,
            OnHandDelta = onHandDelta,
            ReservedDelta = reservedDelta,
            OrderId = orderId,
            HoldId = holdId,
            Reason = reason,
            Reference = reference,
            EventId = cause?.Id,
            OccurredAt = at,
        });
        if (cause is not null)
        {
            _lastCause[item.ProductId] = cause;
        }
    }

    public IReadOnlyList<StockMovement> Movements => _movements;

    /// <summary>The products whose numbers changed.</summary>
    public IEnumerable<ProductStock> Changed => _products.Values.Where(product => product.IsChanged);

    /// <summary>One <c>inventory.updated</c> per product that changed, in the trace of the last event that touched it.</summary>
    public IEnumerable<OutboxMessage> Events() => Changed.Select(product => OutboxMessage.Create(
        InventoryEvents.Updated, product.ProductId, product.Version,
        new InventoryUpdated(
            product.ProductId, product.Version, product.OnHand, product.Reserved, product.Available, product.LowStockThreshold, product.Crossing, product.Stamp(Now)),
        product.Stamp(Now), _lastCause.GetValueOrDefault(product.ProductId)));

    /// <summary>An order's event names every product that the order holds, so the row is locked; anything else is a defect.</summary>
    private StockItem Locked(ReservedLine line) => Item(line.ProductId, line.Location)
        ?? throw new InvalidOperationException($"Product {line.ProductId} at {line.Location} is held but was not locked.");
}

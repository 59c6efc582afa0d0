using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Inventory.Domain;

/// <summary>
/// What allocation needs to know of a location: the lowest priority number is used first, and nothing new is promised from an inactive one.
/// </summary>
internal sealed record LocationRank(int Priority, bool Active);

/// <summary>The cause in a ledger row: the event, the order or hold, and staff's reason and reference.</summary>
internal sealed record Cause(Guid? EventId = null, Guid? OrderId = null, Guid? HoldId = null, string? Reason = null, string? Reference = null);

/// <summary>Units of one product that a hold keeps at one location.</summary>
internal sealed record HeldLine(Guid HoldId, ReservedLine Line);

/// <summary>Why a quantity cannot be set: there would be too many units, or fewer than are reserved at the location.</summary>
internal sealed record OnHandRefusal(bool TooMany, string Location, long OnHand, long Reserved);

/// <summary>
/// The stock that one transaction decides on. Its rows are locked before and written after (StockLoader, StockWriter); in between, all changes
/// are made in memory, here, in <see cref="Promises"/> and in <see cref="PromisedUnits"/>.
/// </summary>
internal sealed class Stock
{
    private readonly Dictionary<Guid, Reservation> _reservations = [];
    private readonly SortedDictionary<Guid, ProductStock> _products = [];
    private readonly Dictionary<Guid, Hold> _holds = [];
    private readonly List<StockMovement> _movements = [];
    private readonly List<HeldLine> _expired = [];

    public Stock(DateTimeOffset now, IEnumerable<StockItem> items, IEnumerable<Reservation>? reservations = null, IEnumerable<Hold>? holds = null)
    {
        Now = now;
        foreach (var product in items.GroupBy(item => item.ProductId))
        {
            _products.Add(product.Key, new(product.Key, product));
        }

        foreach (var reservation in reservations ?? [])
        {
            _reservations.Add(reservation.OrderId, reservation);
        }

        foreach (var hold in holds ?? [])
        {
            _holds.Add(hold.Id, hold);
        }
    }

    /// <summary>The time after everything was locked. A time written for a product or an order is never earlier than the one before it.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>Who makes the change, for the ledger; null for an event or a timer.</summary>
    public Caller? By { get; init; }

    /// <summary>From which locations an order is served.</summary>
    public AllocationPolicy Policy { get; init; }

    /// <summary>All locations, by code. Loaded only for changes that may create stock at one.</summary>
    public IReadOnlyDictionary<string, LocationRank> Locations { get; init; } = new Dictionary<string, LocationRank>();

    /// <summary>Those of the requested products that are deleted in the catalogue.</summary>
    public IReadOnlySet<Guid> DeletedProducts { get; init; } = new HashSet<Guid>();

    /// <summary>Those of the requested products that are discontinued in the catalogue: no new orders of them are possible.</summary>
    public IReadOnlySet<Guid> DiscontinuedProducts { get; init; } = new HashSet<Guid>();

    /// <summary>The sums of the ledger by location, for a rebuild.</summary>
    public IReadOnlyDictionary<string, (long OnHand, long Reserved)> Ledger { get; init; } = new Dictionary<string, (long, long)>();

    /// <summary>The product whose closing balances are rebuilt, from movements before the given time.</summary>
    public (Guid ProductId, DateTimeOffset Before)? BalancesToRebuild { get; set; }

    /// <summary>Units of these products in holds that have expired. They are released before anything is found short.</summary>
    public IReadOnlyList<HeldLine> DueLines { get; init; } = [];

    public IEnumerable<Reservation> Reservations => _reservations.Values;

    public IEnumerable<ProductStock> Products => _products.Values;

    public IEnumerable<Hold> Holds => _holds.Values;

    public IReadOnlyList<StockMovement> Movements => _movements;

    /// <summary>Those of <see cref="DueLines"/> that were released. The sweeper ends the holds themselves and releases their other lines.</summary>
    public IReadOnlyList<HeldLine> ExpiredLines => _expired;

    /// <summary>Records that one of <see cref="DueLines"/> was released.</summary>
    public void Expire(HeldLine held) => _expired.Add(held);

    /// <summary>The products that changed.</summary>
    public IEnumerable<ProductStock> Changed => _products.Values.Where(product => product.IsChanged);

    /// <summary>The order's reservation; an empty one when nothing is known of the order.</summary>
    public Reservation Reservation(Guid orderId) =>
        _reservations.TryGetValue(orderId, out var reservation) ? reservation : _reservations[orderId] = new(orderId);

    /// <summary>The hold, or null when there is none with this id.</summary>
    public Hold? Hold(Guid holdId) => _holds.GetValueOrDefault(holdId);

    /// <summary>The product's stock at all its locations, or null when there is no row of it.</summary>
    public ProductStock? Product(Guid productId) => _products.GetValueOrDefault(productId);

    /// <summary>The product's stock at one location, or null when there is no row of it.</summary>
    public StockItem? Item(Guid productId, string location = StockItem.DefaultLocation) => Product(productId)?.At(location);

    /// <summary>
    /// The level of a promised line. An order's event names every product that the order holds, so the row is locked; otherwise there is a
    /// defect.
    /// </summary>
    public StockItem Locked(ReservedLine line) => Item(line.ProductId, line.Location)
        ?? throw new InvalidOperationException($"Product {line.ProductId} at {line.Location} is held but was not locked.");

    /// <summary>The units of the product that can be promised.</summary>
    public long Available(Guid productId) => Product(productId)?.SellableUnits ?? 0;

    /// <summary>The product's stock at the location, created when there is none yet.</summary>
    public StockItem ItemOrNew(Guid productId, string location = StockItem.DefaultLocation)
    {
        if (Item(productId, location) is { } existing)
        {
            return existing;
        }

        if (!_products.TryGetValue(productId, out var product))
        {
            _products.Add(productId, product = new(productId, []));
        }

        var rank = Locations.GetValueOrDefault(location) ?? new(0, false);
        var item = new StockItem(productId, location, 0, 0, product.LowStockThreshold, 0) { Priority = rank.Priority, Active = rank.Active };
        product.Add(item);
        return item;
    }

    /// <summary>Holds units for a cart; the caller has checked with <see cref="Promises.FindShortages"/> that they are available.</summary>
    public void StartHold(Guid holdId, TimeSpan lifetime, IReadOnlyDictionary<Guid, long> wanted, Guid? customerId) =>
        _holds.Add(holdId, Domain.Hold.Start(holdId, lifetime, wanted, this.Reserve(wanted, [], MovementKind.Held, new(HoldId: holdId)), customerId));

    /// <summary>Ends a hold: its units are free, or are about to be reserved for the order.</summary>
    public void EndHold(Hold hold, HoldStatus status, Guid? eventId = null, Guid? orderId = null)
    {
        this.Release(hold.Lines, status == HoldStatus.Expired ? MovementKind.HoldExpired : MovementKind.HoldReleased, new(eventId, orderId, hold.Id));
        hold.End(status, orderId);
    }

    /// <summary>Sets the units on hand at a location. Returns null, or the reason for a refusal; then nothing has changed.</summary>
    public OnHandRefusal? SetOnHand(Guid productId, string location, long onHand, MovementKind kind, Cause cause)
    {
        var item = Item(productId, location);
        var (before, reserved) = (item?.OnHand ?? 0, item?.Reserved ?? 0);
        // Returns may exceed the limit; the units must still become fewer.
        if (onHand > before && (Product(productId)?.OnHand ?? 0) - before + onHand > StockLimits.MaxUnits)
        {
            return new(true, location, before, reserved);
        }

        if (onHand < reserved)
        {
            return new(false, location, before, reserved);
        }

        item ??= ItemOrNew(productId, location);
        item.TrySetOnHand(onHand);
        Record(item, kind, onHand - before, 0, cause);
        return null;
    }

    /// <summary>Adds a row to the ledger.</summary>
    public void Record(StockItem item, MovementKind kind, long onHandDelta, long reservedDelta, Cause cause)
    {
        var product = Product(item.ProductId)!;
        var at = product.NextTime(Now);
        product.LastEvent = cause.EventId ?? product.LastEvent;
        _movements.Add(new()
        {
            ProductId = item.ProductId,
            Id = OrderedIds.At(at),
            Location = item.Location,
            Kind = kind,
            OnHandDelta = onHandDelta,
            ReservedDelta = reservedDelta,
            OrderId = cause.OrderId,
            HoldId = cause.HoldId,
            Reason = cause.Reason,
            Reference = cause.Reference,
            EventId = cause.EventId,
            OccurredAt = at,
            Sub = By?.Sub,
            Role = By?.Role,
        });
    }
}

namespace OrderInventory.Inventory.Domain;

/// <summary>The state of a hold.</summary>
public enum HoldStatus
{
    /// <summary>Its units are held for an order that names its id.</summary>
    Live,

    /// <summary>It was released.</summary>
    Released,

    /// <summary>It has expired.</summary>
    Expired,

    /// <summary>An order has consumed it.</summary>
    Consumed,
}

/// <summary>
/// Units held for a cart. Its lines are separate rows, one per product and location, and they count in the stock's reserved quantity. A
/// transaction that has locked a product's rows may release the hold's lines of that product once the hold is due, whatever else it holds.
/// </summary>
internal sealed class Hold(Guid id, HoldStatus status, bool isDue, long version, IReadOnlyDictionary<Guid, long> wanted, IReadOnlyList<ReservedLine> lines, Guid? customerId = null)
{
    public Guid Id { get; } = id;
    public HoldStatus Status { get; private set; } = status;

    /// <summary>
    /// The customer who made it; it counts only for their orders. Null for a hold made by staff, which anyone who knows its id may use.
    /// </summary>
    public Guid? CustomerId { get; } = customerId;

    /// <summary>Whether it had expired by the database's clock when it was read.</summary>
    public bool IsDue { get; } = isDue;

    public long Version { get; private set; } = version;

    /// <summary>The requested units by product, readable even when nothing is held any more.</summary>
    public IReadOnlyDictionary<Guid, long> Wanted { get; private set; } = wanted;

    /// <summary>What it holds now.</summary>
    public IReadOnlyList<ReservedLine> Lines { get; private set; } = lines;

    /// <summary>The order that consumed it.</summary>
    public Guid? OrderId { get; private set; }

    /// <summary>The lifetime of a new hold. The database's clock counts it, because that clock also ends the hold.</summary>
    public TimeSpan? Lifetime { get; private init; }

    public bool IsNew => Lifetime is not null;
    public bool IsChanged { get; private set; }

    /// <summary>Whether it is live and has not expired.</summary>
    public bool IsLive => Status == HoldStatus.Live && !IsDue;

    public static Hold Start(Guid id, TimeSpan lifetime, IReadOnlyDictionary<Guid, long> wanted, IReadOnlyList<ReservedLine> lines, Guid? customerId) =>
        new(id, HoldStatus.Live, false, 1, wanted, lines, customerId) { Lifetime = lifetime };

    /// <summary>Whether an order of this customer may use it.</summary>
    public bool IsFor(Guid customerId) => CustomerId is null || CustomerId == customerId;

    public void End(HoldStatus status, Guid? orderId = null)
    {
        (Status, OrderId) = (status, orderId);
        Change(Wanted, []);
    }

    public void Change(IReadOnlyDictionary<Guid, long> wanted, IReadOnlyList<ReservedLine> lines)
    {
        (Wanted, Lines) = (wanted, lines);
        Version++;
        IsChanged = true;
    }
}

namespace OrderInventory.Inventory.Domain;

/// <summary>What has become of a hold.</summary>
public enum HoldStatus
{
    /// <summary>Its units are kept for whoever has its id.</summary>
    Live,

    /// <summary>Somebody let it go.</summary>
    Released,

    /// <summary>Its time is over.</summary>
    Expired,

    /// <summary>An order has it now.</summary>
    Consumed,
}

/// <summary>
/// Units kept for a cart. Its lines are rows of their own, one per product and location, and they are what is in the stock's reserved
/// number: whoever has a product's rows locked may take back the lines of that product once the hold is due, whatever else it holds.
/// </summary>
internal sealed class Hold(Guid id, HoldStatus status, bool isDue, long version, IReadOnlyDictionary<Guid, long> wanted, IReadOnlyList<ReservedLine> lines, Guid? customerId = null)
{
    public Guid Id { get; } = id;
    public HoldStatus Status { get; private set; } = status;

    /// <summary>The customer who has made it, and for whose order alone it counts; null for one of the staff's, which is anybody's who knows its id.</summary>
    public Guid? CustomerId { get; } = customerId;

    /// <summary>Whether its time was over by the database's clock when it was read.</summary>
    public bool IsDue { get; } = isDue;

    public long Version { get; private set; } = version;

    /// <summary>What was asked for, units by product, to be read also when nothing is held any more.</summary>
    public IReadOnlyDictionary<Guid, long> Wanted { get; private set; } = wanted;

    /// <summary>What it holds now.</summary>
    public IReadOnlyList<ReservedLine> Lines { get; private set; } = lines;

    /// <summary>The order that has it, when it is consumed.</summary>
    public Guid? OrderId { get; private set; }

    /// <summary>How long a hold that is being made lasts; its end is counted by the database's clock, which will end it.</summary>
    public TimeSpan? Lifetime { get; private init; }

    public bool IsNew => Lifetime is not null;
    public bool IsChanged { get; private set; }

    /// <summary>Whether it still counts.</summary>
    public bool IsLive => Status == HoldStatus.Live && !IsDue;

    public static Hold Start(Guid id, TimeSpan lifetime, IReadOnlyDictionary<Guid, long> wanted, IReadOnlyList<ReservedLine> lines, Guid? customerId) =>
        new(id, HoldStatus.Live, false, 1, wanted, lines, customerId) { Lifetime = lifetime };

    /// <summary>Whether an order of this customer may have it.</summary>
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

using OrderInventory.Contracts.Inventory;

namespace OrderInventory.Inventory.Domain;

/// <summary>
/// The stock of one product at one location: <c>0 ≤ reserved ≤ on hand</c>, always. Changed only while its row is locked; the database
/// checks the same rule once more.
/// </summary>
internal sealed class StockItem(Guid productId, string location, long onHand, long reserved, long lowStockThreshold, long version)
{
    /// <summary>Where stock is when nobody says where.</summary>
    public const string DefaultLocation = "default";

    private readonly long _availableBefore = onHand - reserved;
    private readonly long _thresholdBefore = lowStockThreshold;

    public Guid ProductId { get; } = productId;
    public string Location { get; } = location;
    public long OnHand { get; private set; } = onHand;
    public long Reserved { get; private set; } = reserved;
    public long Available => OnHand - Reserved;
    public long LowStockThreshold { get; private set; } = lowStockThreshold;

    /// <summary>Grows by one with every transaction that changes the row; 0 for a row that does not exist yet.</summary>
    public long Version { get; private set; } = version;

    public bool IsChanged { get; private set; }
    public bool IsNew { get; } = version == 0;

    /// <summary>Promises units to an order. The caller has seen that enough are available.</summary>
    public void Reserve(long quantity)
    {
        Invariant(quantity > 0 && quantity <= Available);
        Reserved += quantity;
        Touch();
    }

    /// <summary>Gives promised units back.</summary>
    public void Release(long quantity)
    {
        Invariant(quantity > 0 && quantity <= Reserved);
        Reserved -= quantity;
        Touch();
    }

    /// <summary>Promised units leave the warehouse: both numbers fall.</summary>
    public void Ship(long quantity)
    {
        Invariant(quantity > 0 && quantity <= Reserved);
        Reserved -= quantity;
        OnHand -= quantity;
        Touch();
    }

    /// <summary>Staff count or correct the shelf. False, and nothing changed, when it would go below what is promised.</summary>
    public bool TrySetOnHand(long onHand)
    {
        if (onHand < Reserved)
        {
            return false;
        }

        OnHand = onHand;
        Touch();
        return true;
    }

    public void SetLowStockThreshold(long threshold)
    {
        Invariant(threshold >= 0);
        LowStockThreshold = threshold;
        Touch();
    }

    /// <summary>Whether available has crossed the threshold since the row was read; 0 means that there is none.</summary>
    public LowStockCrossing? Crossing
    {
        get
        {
            var wasLow = IsLow(_availableBefore, _thresholdBefore) && !IsNew;
            var isLow = IsLow(Available, LowStockThreshold);
            return wasLow == isLow ? null : isLow ? LowStockCrossing.Entered : LowStockCrossing.Left;
        }
    }

    private static bool IsLow(long available, long threshold) => threshold > 0 && available <= threshold;

    private void Touch()
    {
        if (!IsChanged)
        {
            IsChanged = true;
            Version++;
        }
    }

    private void Invariant(bool holds)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"The stock of product {ProductId} would break 0 <= reserved <= on hand.");
        }
    }
}

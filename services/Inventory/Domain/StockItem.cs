namespace OrderInventory.Inventory.Domain;

/// <summary>
/// The stock of one product at one location: <c>0 ≤ reserved ≤ on hand</c>, always. Changed only while its row is locked; the database
/// checks the same rule once more.
/// </summary>
internal sealed class StockItem(Guid productId, string location, long onHand, long reserved, long lowStockThreshold, long version)
{
    /// <summary>The default location.</summary>
    public const string DefaultLocation = "default";

    public Guid ProductId { get; } = productId;
    public string Location { get; } = location;
    public long OnHand { get; private set; } = onHand;
    public long Reserved { get; private set; } = reserved;
    public long Available => OnHand - Reserved;

    /// <summary>The product's threshold, the same at every location, because it applies to the sum.</summary>
    public long LowStockThreshold { get; private set; } = lowStockThreshold;

    /// <summary>Grows by one with every transaction that changes the row; 0 for a row that does not exist yet.</summary>
    public long Version { get; private set; } = version;

    /// <summary>The location's priority; the lowest number is taken first.</summary>
    public int Priority { get; init; }

    /// <summary>Whether anything new may be promised from the location.</summary>
    public bool Active { get; init; } = true;

    /// <summary>Whether the record was removed; a change restores it.</summary>
    public bool IsRemoved { get; init; }

    /// <summary>When the row was last changed, as it was read; the product's next change is later.</summary>
    public DateTimeOffset UpdatedAt { get; init; }

    public bool IsChanged { get; private set; }
    public bool IsNew { get; } = version == 0;

    /// <summary>Promises units to an order or a hold. The caller has checked that enough are available.</summary>
    public void Reserve(long quantity)
    {
        Invariant(quantity > 0 && quantity <= Available);
        Reserved += quantity;
        Touch();
    }

    /// <summary>Releases promised units.</summary>
    public void Release(long quantity)
    {
        Invariant(quantity > 0 && quantity <= Reserved);
        Reserved -= quantity;
        Touch();
    }

    /// <summary>Ships promised units: both quantities fall.</summary>
    public void Ship(long quantity)
    {
        Invariant(quantity > 0 && quantity <= Reserved);
        Reserved -= quantity;
        OnHand -= quantity;
        Touch();
    }

    /// <summary>Adds incoming units: a return, or a transfer from another location.</summary>
    public void Receive(long quantity)
    {
        Invariant(quantity > 0);
        OnHand += quantity;
        Touch();
    }

    /// <summary>Sets the counted or corrected units on hand. Returns false, without a change, when they would be fewer than are reserved.</summary>
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

    /// <summary>Takes both quantities from the ledger. Returns false, without a change, when the ledger itself breaks the rule.</summary>
    public bool TryRebuild(long onHand, long reserved)
    {
        if (reserved < 0 || reserved > onHand)
        {
            return false;
        }

        if (onHand != OnHand || reserved != Reserved)
        {
            (OnHand, Reserved) = (onHand, reserved);
            Touch();
        }

        return true;
    }

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
            throw new InvalidOperationException($"The stock of product {ProductId} at {Location} would break 0 <= reserved <= on hand.");
        }
    }
}

using OrderInventory.Contracts.Inventory;

namespace OrderInventory.Inventory.Domain;

/// <summary>A product's stock at all its locations. All of its rows are locked together, so its sums are exact.</summary>
internal sealed class ProductStock
{
    private readonly List<StockItem> _items;
    private readonly bool _wasLow;
    private IReadOnlyList<StockItem>? _sellable;

    public ProductStock(Guid productId, IEnumerable<StockItem> items)
    {
        ProductId = productId;
        _items = [.. items.OrderBy(item => item.Location, StringComparer.Ordinal)];
        _wasLow = IsLow;
        UpdatedAt = _items.Count == 0 ? default : _items.Max(item => item.UpdatedAt);
    }

    public Guid ProductId { get; }

    /// <summary>When a quantity last changed, or a ledger row without a change was written.</summary>
    public DateTimeOffset UpdatedAt { get; private set; }

    /// <summary>Whether <see cref="UpdatedAt"/> has changed. It must then be written, or the next ledger row might not be later.</summary>
    public bool IsStamped { get; private set; }

    /// <summary>The last event that moved its units; the product's change is published in that event's trace.</summary>
    public Guid? LastEvent { get; set; }

    /// <summary>
    /// The time of the next ledger row: later than that of the last row, even when the clock was set back or another replica's clock is ahead.
    /// The ledger is read in the order of these times, and the product's rows are locked, so this is the order of the changes.
    /// </summary>
    public DateTimeOffset NextTime(DateTimeOffset now)
    {
        IsStamped = true;
        return UpdatedAt = now > UpdatedAt ? now : UpdatedAt.AddMicroseconds(1);
    }

    /// <summary>The time of the change: that of its last ledger row, if it has one. Without a change, the time of the previous change.</summary>
    public DateTimeOffset Stamp(DateTimeOffset now) => IsStamped || !IsChanged ? UpdatedAt : NextTime(now);

    /// <summary>One per location where the product is or was, in the order of the locations' codes.</summary>
    public IReadOnlyList<StockItem> Items => _items;

    public long OnHand => _items.Count == 1 ? _items[0].OnHand : _items.Sum(item => item.OnHand);
    public long Reserved => _items.Count == 1 ? _items[0].Reserved : _items.Sum(item => item.Reserved);
    public long Available => OnHand - Reserved;
    public long LowStockThreshold => _items.Count == 0 ? 0 : _items.Max(item => item.LowStockThreshold);

    /// <summary>The sum of its rows' versions. When a row is deleted, its version is added to another row, so the sum only grows.</summary>
    public long Version => _items.Count == 1 ? _items[0].Version : _items.Sum(item => item.Version);

    public bool IsChanged => _items.Exists(item => item.IsChanged);

    /// <summary>
    /// The rows to write: those that changed. All rows when the record is removed or restored, and when a ledger row changes no quantity (goods
    /// came back and are not sold again), because its time must be stored.
    /// </summary>
    public IEnumerable<StockItem> ToWrite => IsRemoved || (IsStamped && !IsChanged) || (IsChanged && _items.Exists(item => item.IsRemoved))
        ? _items.Where(item => item.IsChanged || !item.IsNew)
        : _items.Where(item => item.IsChanged);

    /// <summary>Whether the product has no record: it had none, or only one that was removed, and no change has created one since.</summary>
    public bool IsNew => _items.TrueForAll(item => !item.IsChanged && (item.IsNew || item.IsRemoved));

    /// <summary>Whether this change removes its record.</summary>
    public bool IsRemoved { get; private set; }

    /// <summary>
    /// Whether its rows are removed after this change. A ledger row without a change (goods came back and are not sold again) restores nothing.
    /// </summary>
    public bool StaysRemoved => IsRemoved || (!IsChanged && _items.Exists(item => item.IsRemoved));

    /// <summary>Removes the record, which is empty. Its rows stay, because the version must continue if the record is created again.</summary>
    public void Remove()
    {
        SetLowStockThreshold(0);
        IsRemoved = true;
    }

    /// <summary>The rows of active locations, in the order in which orders are served from them.</summary>
    public IReadOnlyList<StockItem> Sellable => _sellable ??= _items is [{ Active: true }]
        ? _items
        : [.. _items.Where(item => item.Active).OrderBy(item => item.Priority).ThenBy(item => item.Location, StringComparer.Ordinal)];

    /// <summary>The units that can be promised now.</summary>
    public long SellableUnits
    {
        get
        {
            var sum = 0L;
            foreach (var item in Sellable)
            {
                sum += item.Available;
            }

            return sum;
        }
    }

    public StockItem? At(string location) => _items.Find(item => item.Location == location);

    public void Add(StockItem item)
    {
        _items.Add(item);
        _items.Sort((a, b) => string.CompareOrdinal(a.Location, b.Location));
        _sellable = null;
    }

    public void SetLowStockThreshold(long threshold)
    {
        foreach (var item in _items.Where(item => item.LowStockThreshold != threshold))
        {
            item.SetLowStockThreshold(threshold);
        }
    }

    /// <summary>Whether available has crossed the threshold since the rows were read; a threshold of 0 means that there is none.</summary>
    public LowStockCrossing? Crossing => _wasLow == IsLow ? null : IsLow ? LowStockCrossing.Entered : LowStockCrossing.Left;

    private bool IsLow => _items.Count > 0 && LowStockThreshold > 0 && Available <= LowStockThreshold;
}

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

    /// <summary>When a number last changed, or a ledger row was written that changes none.</summary>
    public DateTimeOffset UpdatedAt { get; private set; }

    /// <summary>Whether <see cref="UpdatedAt"/> is another than it was: then it is written, or the next row might be no later.</summary>
    public bool IsStamped { get; private set; }

    /// <summary>The last event that moved its units; its change is published in that trace.</summary>
    public Guid? LastEvent { get; set; }

    /// <summary>
    /// The time of the next ledger row: later than the last one's, also when the clock was set back or another replica's is ahead. The ledger
    /// is read in the order of its times, and the rows of a product are locked, so this is the order in which it happened.
    /// </summary>
    public DateTimeOffset NextTime(DateTimeOffset now)
    {
        IsStamped = true;
        return UpdatedAt = now > UpdatedAt ? now : UpdatedAt.AddMicroseconds(1);
    }

    /// <summary>The time of the change, which is that of its last ledger row if it has one; of no change, that of the last.</summary>
    public DateTimeOffset Stamp(DateTimeOffset now) => IsStamped || !IsChanged ? UpdatedAt : NextTime(now);

    /// <summary>One per location where the product is or was, in the order of the locations' codes.</summary>
    public IReadOnlyList<StockItem> Items => _items;

    public long OnHand => _items.Count == 1 ? _items[0].OnHand : _items.Sum(item => item.OnHand);
    public long Reserved => _items.Count == 1 ? _items[0].Reserved : _items.Sum(item => item.Reserved);
    public long Available => OnHand - Reserved;
    public long LowStockThreshold => _items.Count == 0 ? 0 : _items.Max(item => item.LowStockThreshold);

    /// <summary>The sum of its rows' versions. A row is never removed without its version going to another one, so it only grows.</summary>
    public long Version => _items.Count == 1 ? _items[0].Version : _items.Sum(item => item.Version);

    public bool IsChanged => _items.Exists(item => item.IsChanged);

    /// <summary>
    /// The rows to be written: those that changed. All of them when the record goes or comes back, and when there is a ledger row that changes no number
    /// (goods came back and are not sold again), for the sake of its time.
    /// </summary>
    public IEnumerable<StockItem> ToWrite => IsRemoved || (IsStamped && !IsChanged) || (IsChanged && _items.Exists(item => item.IsRemoved))
        ? _items.Where(item => item.IsChanged || !item.IsNew)
        : _items.Where(item => item.IsChanged);

    /// <summary>Whether the product had no record before, or one that was removed.</summary>
    public bool IsNew => _items.TrueForAll(item => item.IsNew || item.IsRemoved);

    /// <summary>Whether its record goes with this change.</summary>
    public bool IsRemoved { get; private set; }

    /// <summary>Takes the record away; it is empty. Its rows stay, for the version must go on if it comes back.</summary>
    public void Remove()
    {
        SetLowStockThreshold(0);
        IsRemoved = true;
    }

    /// <summary>The rows of active locations, in the order in which orders are served from them.</summary>
    public IReadOnlyList<StockItem> Sellable => _sellable ??= _items is [{ Active: true }]
        ? _items
        : [.. _items.Where(item => item.Active).OrderBy(item => item.Priority).ThenBy(item => item.Location, StringComparer.Ordinal)];

    /// <summary>What can be promised now.</summary>
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

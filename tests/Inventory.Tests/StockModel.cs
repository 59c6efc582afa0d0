namespace OrderInventory.Inventory.Tests;

/// <summary>
/// A minimal model of what Inventory promises: sums per product, strictly sequential, no locations, no ledger, no batches. The service,
/// working on real rows, must reach the same results.
/// </summary>
internal sealed class StockModel(Dictionary<Guid, long> onHand)
{
    internal sealed class OrderState
    {
        public long Version { get; set; }
        public string Outcome { get; set; } = "";
        public Dictionary<Guid, long> Lines { get; set; } = [];
        public Dictionary<Guid, long> Shipped { get; set; } = [];
        public HashSet<long> Returned { get; } = [];
        public bool IsLive => Lines.Count > 0 && Outcome is ("reserved" or "revised" or "revisionRejected");
    }

    internal sealed class HoldState(Dictionary<Guid, long> lines)
    {
        public Dictionary<Guid, long> Lines { get; } = lines;
        public bool Counts { get; set; } = true;
    }

    public Dictionary<Guid, long> OnHand { get; } = onHand;
    public Dictionary<Guid, OrderState> Orders { get; } = [];
    public Dictionary<Guid, HoldState> Holds { get; } = [];

    /// <summary>The units of the product that orders and counting holds reserve.</summary>
    public long Reserved(Guid product) =>
        Orders.Values.Sum(o => o.Lines.GetValueOrDefault(product)) + Holds.Values.Where(h => h.Counts).Sum(h => h.Lines.GetValueOrDefault(product));

    public bool Fits(Dictionary<Guid, long> wanted, Dictionary<Guid, long> own) =>
        wanted.All(w => w.Value <= OnHand[w.Key] - Reserved(w.Key) + own.GetValueOrDefault(w.Key));

    public void Create(Guid orderId, Dictionary<Guid, long> wanted, Guid? holdId)
    {
        if (Take(orderId, 1) is not { } order)
        {
            return;
        }

        var hold = holdId is { } id && Holds.TryGetValue(id, out var known) && known.Counts ? known : null;
        if (!Fits(wanted, hold?.Lines ?? []))
        {
            order.Outcome = "rejected";
            return;
        }

        if (hold is not null)
        {
            hold.Counts = false;
        }

        (order.Outcome, order.Lines) = ("reserved", wanted);
    }

    public void Revise(Guid orderId, long version, Dictionary<Guid, long> wanted)
    {
        if (Take(orderId, version) is not { } order)
        {
            return;
        }

        if (order.IsLive && Fits(wanted, order.Lines))
        {
            (order.Outcome, order.Lines) = ("revised", wanted);
        }
        else
        {
            order.Outcome = "revisionRejected";
        }
    }

    /// <summary>The order was cancelled or has expired.</summary>
    public void Release(Guid orderId, long version)
    {
        if (Take(orderId, version) is { } order)
        {
            (order.Outcome, order.Lines) = ("released", []);
        }
    }

    public void Ship(Guid orderId, long version)
    {
        if (Take(orderId, version) is { } order)
        {
            Ship(order);
        }
    }

    /// <summary>
    /// A return of more than was shipped is refused as a whole: the event is set aside, as if it had not arrived. A return counts once, even if late.
    /// </summary>
    public void Return(Guid orderId, long version, Guid product, long quantity, bool restock)
    {
        var known = Orders.GetValueOrDefault(orderId);
        var isLate = known is not null && version <= known.Version;
        var gone = known is null ? [] : known.IsLive && !isLate ? known.Lines : known.Shipped;
        if (gone.GetValueOrDefault(product) < quantity || !known!.Returned.Add(version))
        {
            return;
        }

        if (Take(orderId, version) is { } order)
        {
            if (order.IsLive)
            {
                Ship(order);
            }

            order.Outcome = "shipped";
        }

        known.Shipped = new(known.Shipped) { [product] = known.Shipped[product] - quantity };
        OnHand[product] += restock ? quantity : 0;
    }

    private void Ship(OrderState order)
    {
        foreach (var (product, quantity) in order.Lines)
        {
            OnHand[product] -= quantity;
        }

        order.Shipped = order.Lines.Count > 0 ? order.Lines : order.Shipped;
        (order.Outcome, order.Lines) = ("shipped", []);
    }

    private OrderState? Take(Guid orderId, long version)
    {
        if (!Orders.TryGetValue(orderId, out var order))
        {
            Orders.Add(orderId, order = new());
        }

        if (version <= order.Version)
        {
            return null;
        }

        order.Version = version;
        return order;
    }
}

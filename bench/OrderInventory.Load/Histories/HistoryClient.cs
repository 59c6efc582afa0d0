using System.Collections.Concurrent;
using OrderInventory.Check.Histories;
using OrderInventory.Load.Placing;

namespace OrderInventory.Load.Histories;

/// <summary>What all clients of a run share.</summary>
internal sealed class Shared(RunLine run, HistoryOptions options, HistoryWriter writer, Func<double> clock)
{
    private const int MaxOrders = 32;
    private readonly ConcurrentQueue<Guid> _orders = new();
    private readonly ConcurrentDictionary<Guid, bool> _acknowledged = new();

    public RunLine Run => run;

    public HistoryOptions Options => options;

    public HistoryWriter Writer => writer;

    public Zipf Products { get; } = new(run.Products.Count);

    public Zipf Customers { get; } = new(run.Customers.Count);

    public Figures Figures { get; } = new();

    /// <summary>The number of orders acknowledged so far.</summary>
    public int Acknowledged => _acknowledged.Count;

    public bool IsOver => clock() > options.Seconds * 1000.0 || (options.Orders > 0 && _acknowledged.Count >= options.Orders && options.MayEnd());

    public double Now => clock();

    /// <summary>The latest orders of all clients, so that several clients change the same order.</summary>
    public Guid[] Latest => [.. _orders];

    public void Placed(Guid order)
    {
        if (!_acknowledged.TryAdd(order, true))
        {
            return;
        }

        _orders.Enqueue(order);
        while (_orders.Count > MaxOrders && _orders.TryDequeue(out _))
        {
            // Only the client that placed them still uses the oldest orders.
        }
    }
}

/// <summary>One client: a mix of requests, one after the other, each written to the history.</summary>
/// <param name="number">The client's number, from 0, unique in the run.</param>
/// <param name="shared">What all clients share.</param>
/// <param name="requests">Sends the requests.</param>
/// <param name="pace">When each request is due; null in a closed loop.</param>
/// <param name="until">When the last request begins, in milliseconds since the start, if that is before the end of the run.</param>
/// <param name="isShopper">
/// Sends only customers' requests. With more concurrent changes by staff, the checker's search for their sequence takes longer.
/// </param>
internal sealed class HistoryClient(int number, Shared shared, Requests requests, Pace? pace, double until = double.PositiveInfinity, bool isShopper = false)
{
    private const int MaxKnown = 40;

    /// <summary>The frequency of each operation, in percent.</summary>
    private static readonly (Op Op, int Weight)[] s_mix =
    [
        (Op.Place, 41), (Op.Read, 14), (Op.List, 3), (Op.Recent, 3), (Op.Cancel, 4), (Op.Revise, 6), (Op.Ship, 6), (Op.Deliver, 3), (Op.Return, 3),
        (Op.Hold, 4), (Op.ReleaseHold, 2), (Op.ReadStock, 4), (Op.Adjust, 4), (Op.Stocktake, 3),
    ];

    private readonly Random _random = new(HashCode.Combine(number, shared.Options.Seed) & int.MaxValue);
    private readonly Dictionary<Guid, Known> _known = [];
    private readonly Dictionary<Guid, long> _counts = [];
    private readonly List<(Guid Id, long Version, IReadOnlyList<Line> Lines)> _holds = [];
    private readonly string _prefix = $"{shared.Run.Products[0].ToString("N")[..12]}-{number}-";
    private int _keys;

    /// <summary>An order that is cancelled immediately: the cancel reaches another replica a few milliseconds after the placement.</summary>
    private Guid? _cancelNext;

    public async Task RunAsync(CancellationToken stop)
    {
        for (var turn = 0; !shared.IsOver && shared.Now < until && !stop.IsCancellationRequested; turn++)
        {
            var intended = shared.Now;
            if (pace is not null)
            {
                intended = pace.Due(turn).TotalMilliseconds;
                await Pace.WaitAsync(TimeSpan.FromMilliseconds(intended - shared.Now), stop);
            }

            if (Choose() is { } asked)
            {
                await CallAsync(asked with { Client = number, Intended = intended }, stop);
            }
        }
    }

    private Operation? Choose()
    {
        var op = _cancelNext is null ? Draw() : Op.Cancel;
        var asked = new Operation { Client = number, Op = op, Intended = 0, Start = 0, End = 0 };
        switch (op)
        {
            case Op.Place:
                var lines = Lines();
                var hold = _holds.Count > 0 && _random.Next(4) == 0 ? TakeHold() : null;
                return asked with { Key = NextKey(), Customer = shared.Run.Customers[shared.Customers.Next(_random)], Lines = hold?.Lines ?? lines, Hold = hold?.Id };
            case Op.Read:
                return Any() is { } read ? asked with { Order = read } : null;
            case Op.List or Op.Recent:
                return asked with { Customer = shared.Run.Customers[shared.Customers.Next(_random)] };
            case Op.Cancel:
                var cancel = _cancelNext ?? Any("pending", "confirmed", "revisionPending");
                _cancelNext = null;
                return cancel is null ? null : asked with { Order = cancel };
            case Op.Revise:
                return Any("confirmed") is { } revise && _known.TryGetValue(revise, out var confirmed) ? asked with { Order = revise, IfMatch = confirmed.Version, Lines = Lines() } : null;
            case Op.Ship:
                return Any("confirmed") is { } ship ? asked with { Order = ship } : null;
            case Op.Deliver:
                return Any("shipped") is { } deliver ? asked with { Order = deliver } : null;
            case Op.Return:
                return Any("shipped", "delivered") is { } back && _known.TryGetValue(back, out var shipped) && shipped.Lines.Count > 0
                    ? asked with { Order = back, Key = NextKey(), Lines = [shipped.Lines[_random.Next(shipped.Lines.Count)] with { Quantity = 1 }] } : null;
            case Op.Hold:
                return asked with { Key = NextKey(), Lines = Lines().DistinctBy(line => line.ProductId).ToList() };
            case Op.ReleaseHold:
                return _holds.Count > 0 && TakeHold() is { } end ? asked with { Hold = end.Id, IfMatch = end.Version } : null;
            case Op.ReadStock:
                return asked with { Product = shared.Run.Products[shared.Products.Next(_random)] };
            default:
                return isShopper ? null : ChooseStaff(asked);
        }
    }

    private Op Draw()
    {
        var roll = _random.Next(s_mix.Sum(entry => entry.Weight));
        return s_mix.First(entry => (roll -= entry.Weight) < 0).Op;
    }

    /// <summary>Half of the adjustments go to the registers; the others add stock of products, mostly of those that are ordered most.</summary>
    private Operation ChooseStaff(Operation asked)
    {
        var key = NextKey();
        asked = asked with { Key = key, Reference = key };
        var register = shared.Run.Registers[_random.Next(shared.Run.Registers.Count)].ProductId;
        if (asked.Op == Op.Stocktake)
        {
            var expected = _counts.GetValueOrDefault(register, 1000);
            return asked with { Product = register, Expected = expected, Counted = Math.Max(0, expected + _random.Next(-20, 21)) };
        }

        return _random.Next(2) == 0
            ? asked with { Product = register, Delta = _random.Next(1, 30) * (_random.Next(3) == 0 ? -1 : 1) }
            : asked with { Product = shared.Run.Products[shared.Products.Next(_random)], Delta = _random.Next(20, 120) };
    }

    /// <summary>Sends a request; one with a key is repeated until it is answered, and occasionally once more after the answer.</summary>
    private async Task CallAsync(Operation asked, CancellationToken stop)
    {
        var begun = shared.Now;
        for (var attempt = 1; !stop.IsCancellationRequested; attempt++)
        {
            var answered = await requests.SendAsync(asked, stop);
            shared.Writer.Add(answered);
            shared.Figures.Add(answered);
            Learn(answered);
            if (asked.Key is null || !answered.IsOpen || shared.Now - begun > shared.Options.RetryTime.TotalMilliseconds)
            {
                if (asked.Key is not null && answered.IsAcknowledged && _random.Next(30) == 0)
                {
                    var again = await requests.SendAsync(asked with { Intended = shared.Now }, stop);
                    shared.Writer.Add(again);
                    Learn(again);
                }

                if (answered.Status is null or >= 500)
                {
                    // A service that is down refuses immediately; without the pause the client would flood it with requests.
                    await Pace.WaitAsync(TimeSpan.FromMilliseconds(100), stop);
                }

                return;
            }

            await Pace.WaitAsync(TimeSpan.FromMilliseconds(Math.Min(50 * Math.Pow(2, attempt), 2000) * (0.5 + _random.NextDouble())), stop);
            asked = asked with { Intended = shared.Now };
        }
    }

    private void Learn(Operation answered)
    {
        if (answered is { Op: Op.Adjust or Op.Stocktake, Product: { } product, OnHand: { } onHand })
        {
            _counts[product] = onHand;
        }

        if (answered is { Op: Op.Hold, IsAcknowledged: true, Hold: { } hold, Version: { } made } && answered.Replayed is null && _holds.TrueForAll(h => h.Id != hold))
        {
            _holds.Add((hold, made, answered.Lines!));
        }

        if (answered is not { IsAcknowledged: true, Order: { } order, Version: { } version, State: { } state })
        {
            return;
        }

        if (answered.Op == Op.Place && !_known.ContainsKey(order))
        {
            shared.Placed(order);
            _cancelNext = _random.Next(10) == 0 ? order : null;
        }

        var lines = answered.Op == Op.Place ? answered.Lines! : _known.TryGetValue(order, out var known) ? known.Lines : [];
        // Returned goods are not returned twice: that would only be refused.
        _known[order] = new(version, state, answered.Op is Op.Return or Op.Revise ? [] : lines);
        if (_known.Count > MaxKnown)
        {
            _known.Remove(_known.Keys.First());
        }
    }

    /// <summary>Mostly one of the client's own orders in one of these states, sometimes any client's order.</summary>
    private Guid? Any(params string[] states)
    {
        if (_random.Next(5) == 0 && shared.Latest is { Length: > 0 } latest)
        {
            return latest[_random.Next(latest.Length)];
        }

        var mine = _known.Where(known => states.Length == 0 || states.Contains(known.Value.State) || known.Value.State == "pending").Select(known => known.Key).ToList();
        return mine.Count == 0 ? null : mine[_random.Next(mine.Count)];
    }

    /// <summary>1 to 4 lines; occasionally two lines of the same product, whose quantities are added up.</summary>
    private List<Line> Lines()
    {
        var lines = new List<Line>();
        for (var count = _random.Next(1, 5); count > 0; count--)
        {
            lines.Add(new(shared.Run.Products[shared.Products.Next(_random)], _random.Next(1, 5)));
        }

        if (_random.Next(8) == 0)
        {
            lines.Add(lines[0] with { Quantity = _random.Next(1, 5) });
        }

        return lines;
    }

    private (Guid Id, long Version, IReadOnlyList<Line> Lines)? TakeHold()
    {
        var hold = _holds[^1];
        _holds.RemoveAt(_holds.Count - 1);
        return hold;
    }

    private string NextKey() => _prefix + ++_keys;

    private sealed record Known(long Version, string State, IReadOnlyList<Line> Lines);
}

using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Rules;

/// <summary>Rules about the content of answers.</summary>
internal static class ReadRules
{
    /// <summary>
    /// An order's version in an answer is never lower than in any answer, to any client, that was complete before the request was sent.
    /// </summary>
    public const string NeverOlder = "reads never go back";

    /// <summary>Of two changes with the same version in If-Match only one is acknowledged, and it creates the next version.</summary>
    public const string OneWriterPerVersion = "one change per version";

    /// <summary>A cached answer is never older than its time to live allows.</summary>
    public const string CacheAge = "age of cached answers";

    /// <summary>A list from the database shows everything that was acknowledged before the list was requested.</summary>
    public const string Listed = "lists are complete";

    /// <summary>The longest time that stock levels and recent orders are cached (docs/inventory.md, docs/orders.md).</summary>
    private const double CacheMilliseconds = 30_000;

    /// <summary>
    /// How much older a cache entry may be because its process was stopped between reading the database and writing the cache: longer than any stop
    /// of a campaign.
    /// </summary>
    private const double LongestStop = 20_000;

    public static IEnumerable<Violation> FindOlder(History history, SystemFacts facts) => history.Operations
        .SelectMany(o => Shown(o).Select(seen => (seen.Id, seen.Version, Operation: o)))
        .GroupBy(shown => shown.Id)
        .SelectMany(order => FindOlder([.. order.Select(shown => (shown.Version, shown.Operation))], 0)
            .Select(pair => new Violation(NeverOlder, $"Order {order.Key} was shown with version {pair.Older.Version} after version {pair.Newer.Version}.", pair.Newer.Operation, pair.Older.Operation)));

    public static IEnumerable<Violation> FindLostUpdates(History history, SystemFacts facts)
    {
        foreach (var versions in history.Operations.Where(o => o is { IsAcknowledged: true, IfMatch: not null, Order: not null }).GroupBy(o => (o.Order, o.IfMatch)))
        {
            if (versions.Count() > 1)
            {
                yield return new(OneWriterPerVersion, $"{versions.Count()} changes of version {versions.Key.IfMatch} of order {versions.Key.Order} were acknowledged.", versions);
            }

            foreach (var change in versions.Where(o => o.Op == Op.Revise && o.Version is { } version && version != o.IfMatch + 1))
            {
                yield return new(OneWriterPerVersion, $"A change of version {change.IfMatch} of order {change.Order} was answered with version {change.Version}.", change);
            }
        }
    }

    public static IEnumerable<Violation> FindStale(History history, SystemFacts facts)
    {
        // All answers with a product's version count: a change is answered from the database, a read perhaps from the cache.
        var stock = history.Operations.Where(o => o is { IsAcknowledged: true, Product: not null, Version: not null, Op: Op.ReadStock or Op.Adjust or Op.Stocktake }).ToLookup(o => o.Product!.Value);
        foreach (var product in stock)
        {
            foreach (var (newer, older) in FindOlder([.. product.Select(o => (o.Version!.Value, o))], CacheMilliseconds + LongestStop))
            {
                yield return new(CacheAge, $"Stock of {product.Key} was shown with version {older.Version}, more than {(CacheMilliseconds + LongestStop) / 1000:F0} s after version {newer.Version}.", newer.Operation, older.Operation);
            }
        }

        var placed = history.Operations.Where(o => o is { Op: Op.Place, IsAcknowledged: true, Customer: not null, Order: not null }).ToLookup(o => o.Customer!.Value);
        foreach (var recent in history.Operations.Where(o => o is { Op: Op.Recent, IsAcknowledged: true, Customer: not null, Items: not null }))
        {
            if (FindMissing(recent, placed[recent.Customer!.Value], CacheMilliseconds + LongestStop) is { } missing)
            {
                yield return new(CacheAge, $"The recent orders of {recent.Customer} do not have order {missing.Order}, which was acknowledged long before.", missing, recent);
            }
        }
    }

    public static IEnumerable<Violation> FindUnlisted(History history, SystemFacts facts)
    {
        var placed = history.Operations.Where(o => o is { Op: Op.Place, IsAcknowledged: true, Customer: not null, Order: not null }).ToLookup(o => o.Customer!.Value);
        foreach (var list in history.Operations.Where(o => o is { Op: Op.List, IsAcknowledged: true, Customer: not null, Items: not null }))
        {
            if (FindMissing(list, placed[list.Customer!.Value], 0) is { } missing)
            {
                yield return new(Listed, $"The orders of {list.Customer} do not have order {missing.Order}, which was acknowledged before.", missing, list);
            }
        }
    }

    /// <summary>
    /// Finds an order that the list should have: acknowledged at least the grace time before, and newer than the last one shown, unless the list is
    /// complete. Ids increase with time only within one process, so only orders that are a minute newer than the last one are required.
    /// </summary>
    private static Operation? FindMissing(Operation list, IEnumerable<Operation> placed, double grace)
    {
        var shown = list.Items!.Select(item => item.Id).ToHashSet();
        var last = list.IsWhole == true ? long.MinValue : list.Items!.Count == 0 ? long.MinValue : Milliseconds(list.Items[^1].Id) + 60_000;
        return placed.FirstOrDefault(o => o.End + grace < list.Start && !shown.Contains(o.Order!.Value) && Milliseconds(o.Order.Value) > last);
    }

    /// <summary>The time in a UUIDv7 (RFC 9562, section 5.7).</summary>
    private static long Milliseconds(Guid id) => Convert.ToInt64(id.ToString("N")[..12], 16);

    private static IEnumerable<Seen> Shown(Operation o) => o switch
    {
        { IsAcknowledged: true, Op: Op.List, Items: { } items } => items,
        { IsAcknowledged: true, Op: not Op.Recent, Order: { } id, Version: { } version } => [new(id, version)],
        _ => [],
    };

    /// <summary>Pairs of answers of which the later one shows a lower version; one pair for each such answer.</summary>
    private static IEnumerable<((long Version, Operation Operation) Newer, (long Version, Operation Operation) Older)> FindOlder(
        List<(long Version, Operation Operation)> answers, double grace)
    {
        var byEnd = answers.OrderBy(a => a.Operation.End).ToList();
        var (next, newest) = (0, (Version: long.MinValue, Operation: (Operation?)null));
        foreach (var answer in answers.OrderBy(a => a.Operation.Start))
        {
            for (; next < byEnd.Count && byEnd[next].Operation.End + grace < answer.Operation.Start; next++)
            {
                newest = byEnd[next].Version > newest.Version ? byEnd[next] : newest;
            }

            if (answer.Version < newest.Version)
            {
                yield return ((newest.Version, newest.Operation!), answer);
            }
        }
    }
}

using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Rules;

/// <summary>Rules about orders and their changes.</summary>
internal static class OrderRules
{
    /// <summary>An order that was answered 201 exists, for the requested customer and with the requested lines.</summary>
    public const string Acknowledged = "acknowledged order";

    /// <summary>When everything is quiet no order waits for Inventory.</summary>
    public const string Decided = "decided order";

    /// <summary>A request without an answer was done completely or not at all; a refused request was not done.</summary>
    public const string WholeOrNothing = "whole or nothing";

    /// <summary>An acknowledged change is stored.</summary>
    public const string AcknowledgedChange = "acknowledged change";

    private static readonly string[] s_waiting = ["pending", "revisionPending", "cancelPending"];

    public static IEnumerable<Violation> FindLost(History history, SystemFacts facts)
    {
        var orders = facts.Orders.ToDictionary(order => order.Id);
        var created = facts.Events.Where(e => e.Topic == Topics.OrderCreated).GroupBy(e => e.Key).ToDictionary(group => group.Key, group => group.First());
        foreach (var placed in history.Operations.Where(o => o is { Op: Op.Place, IsAcknowledged: true, Order: not null }))
        {
            if (!orders.TryGetValue(placed.Order!.Value, out var order))
            {
                yield return new(Acknowledged, $"Order {placed.Order} was acknowledged but does not exist.", placed);
            }
            else if (order.Customer != placed.Customer)
            {
                yield return new(Acknowledged, $"Order {order.Id} belongs to customer {order.Customer}, not to {placed.Customer} who placed it.", placed);
            }
            else if (created.TryGetValue(order.Id, out var first) && !Units.Same(first.Lines ?? [], placed.Lines ?? []))
            {
                yield return new(Acknowledged, $"Order {order.Id} was placed with {Units.Text(placed.Lines)} but published with {Units.Text(first.Lines)}.", placed);
            }
        }
    }

    public static IEnumerable<Violation> FindUndecided(History history, SystemFacts facts) =>
        facts.Orders.Where(order => s_waiting.Contains(order.Status))
            .Select(order => new Violation(Decided, $"Order {order.Id} is still {order.Status}, version {order.Version}.", history.ByOrder[order.Id].TakeLast(3)));

    public static IEnumerable<Violation> FindHalfDone(History history, SystemFacts facts)
    {
        var orders = facts.Orders.ToDictionary(order => order.Id);
        var byKey = facts.OrderKeys.ToLookup(key => key.Key, key => key.Order);
        foreach (var order in facts.Orders.Where(order => order.Lines.Count == 0))
        {
            yield return new(WholeOrNothing, $"Order {order.Id} has no lines.", history.ByOrder[order.Id]);
        }

        foreach (var request in history.ByKey)
        {
            if (request.First().Op != Op.Place)
            {
                continue;
            }

            var made = byKey[request.Key].ToList();
            if (made.Count > 0 && request.All(attempt => attempt.IsRefused))
            {
                yield return new(WholeOrNothing, $"Every request with the key {request.Key} was refused, but it created order {made[0]}.", request);
            }

            foreach (var id in made.Where(id => !orders.ContainsKey(id)))
            {
                yield return new(WholeOrNothing, $"The key {request.Key} names order {id}, which does not exist.", request);
            }
        }
    }

    public static IEnumerable<Violation> FindLostChanges(History history, SystemFacts facts)
    {
        var orders = facts.Orders.ToDictionary(order => order.Id);
        var versions = facts.Events.Where(e => e.Topic == Topics.OrderUpdated).GroupBy(e => (e.Key, e.Version)).ToDictionary(g => g.Key, g => g.First());
        foreach (var change in history.Operations.Where(o => o.IsAcknowledged && o.Order is not null && orders.ContainsKey(o.Order.Value)))
        {
            var order = orders[change.Order!.Value];
            var kept = change.Op switch
            {
                Op.Cancel => order.Status is "cancelPending" or "cancelled",
                Op.Ship => order.Status is "shipped" or "delivered",
                Op.Deliver => order.Status is "delivered",
                Op.Revise => change.Version is not { } version || (versions.TryGetValue((order.Id, version), out var told) && told.Status == "revisionPending"),
                _ => true,
            };
            if (!kept)
            {
                yield return new(AcknowledgedChange, $"{change.Op} of order {order.Id} was acknowledged with version {change.Version}; the order is {order.Status}, version {order.Version}.", change);
            }
        }

        foreach (var order in facts.Orders)
        {
            var returns = history.ByOrder[order.Id].Where(o => o.Op == Op.Return).GroupBy(o => o.Key).ToList();
            var (acknowledged, open) = (returns.Count(r => r.Any(o => o.IsAcknowledged)), returns.Count(r => r.Any(o => !o.IsRefused)));
            if (order.Returns < acknowledged || order.Returns > open)
            {
                yield return new(AcknowledgedChange, $"Order {order.Id} has {order.Returns} returns; {acknowledged} were acknowledged, at most {open} can have been made.", returns.SelectMany(r => r));
            }
        }
    }
}

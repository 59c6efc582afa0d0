using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Rules;

/// <summary>Rules about the events in the topics and their handling.</summary>
internal static class EventRules
{
    /// <summary>Every version of every order, and of every product's stock, was published in one event, and nothing else was published.</summary>
    public const string Published = "every change is published";

    /// <summary>Within a key, the first occurrences of events on a topic are in the order of the versions.</summary>
    public const string InOrder = "events in order";

    /// <summary>Each event was handled by each service that must handle it.</summary>
    public const string Handled = "every event is handled";

    /// <summary>Only unreadable records became dead letters.</summary>
    public const string NoDeadLetter = "no dead letters";

    public static IEnumerable<Violation> FindUnpublished(History history, SystemFacts facts)
    {
        foreach (var row in facts.Outbox)
        {
            yield return new(Published, $"Event {row.Id} for {row.Topic}, key {row.Key}, still waits in the outbox of {row.Service}.");
        }

        var ids = facts.Events.GroupBy(e => (e.Topic, e.Key, e.Version)).ToDictionary(group => group.Key, group => group.Select(e => e.Id).Distinct().ToList());
        foreach (var (version, events) in ids.Where(version => version.Value.Count > 1))
        {
            yield return new(Published, $"Version {version.Version} of {version.Key} was published by {events.Count} events on {version.Topic}: {string.Join(", ", events)}.");
        }

        var orders = facts.Orders.ToDictionary(order => order.Id);
        foreach (var order in facts.Orders)
        {
            var missing = Range(1, order.Version).Where(version => !ids.ContainsKey((version == 1 ? Topics.OrderCreated : Topics.OrderUpdated, order.Id, version))).ToList();
            if (missing.Count > 0)
            {
                yield return new(Published, $"No event reports version {string.Join(", ", missing)} of order {order.Id}, which has version {order.Version}.", history.ByOrder[order.Id]);
            }
        }

        foreach (var reported in ids.Keys.Where(e => e.Topic is Topics.OrderCreated or Topics.OrderUpdated))
        {
            if (!orders.TryGetValue(reported.Key, out var order) || order.Version < reported.Version)
            {
                yield return new(Published, $"An event on {reported.Topic} reports version {reported.Version} of order {reported.Key}, which {(order is null ? "does not exist" : $"has version {order.Version}")}.", history.ByOrder[reported.Key]);
            }
        }

        foreach (var product in facts.Levels.GroupBy(level => level.Product))
        {
            var last = product.Max(level => level.Version);
            if (!ids.ContainsKey((Topics.InventoryUpdated, product.Key, last)))
            {
                yield return new(Published, $"No event reports version {last} of the stock of product {product.Key}.");
            }
        }

        foreach (var reservation in facts.Reservations.Where(r => !ids.ContainsKey((Topics.Reservation, r.Order, r.Version))))
        {
            yield return new(Published, $"No event reports how version {reservation.Version} of order {reservation.Order} was decided ({reservation.Outcome}).", history.ByOrder[reservation.Order]);
        }
    }

    public static IEnumerable<Violation> FindDisorder(History history, SystemFacts facts)
    {
        // The reservation event for a late return has the return's own, lower version, so that topic is not in the order of versions.
        foreach (var key in facts.Events.Where(e => e.Topic is not Topics.Reservation).GroupBy(e => (e.Topic, e.Key)))
        {
            if (key.Select(e => e.Partition).Distinct().Count() > 1)
            {
                yield return new(InOrder, $"The events of {key.Key.Key} on {key.Key.Topic} are in several partitions.");
                continue;
            }

            var (seen, last) = (new HashSet<Guid>(), (EventFact?)null);
            foreach (var e in key.Where(e => seen.Add(e.Id)))
            {
                if (last is not null && e.Version < last.Version)
                {
                    yield return new(InOrder, $"{e} of version {e.Version} of {e.Key} comes after {last} of version {last.Version}.", history.ByOrder[e.Key]);
                    break;
                }

                last = e;
            }
        }
    }

    public static IEnumerable<Violation> FindUnhandled(History history, SystemFacts facts)
    {
        var handled = facts.Inbox.Select(row => (row.Service, row.Event)).ToHashSet();
        var setAside = facts.DeadLetters.Select(letter => (letter.Service, letter.Event)).ToHashSet();
        foreach (var e in facts.Events.DistinctBy(e => (e.Topic, e.Id)))
        {
            foreach (var service in Wanted(e).Where(service => !handled.Contains((service, e.Id)) && !setAside.Contains((service, e.Id.ToString()))))
            {
                yield return new(Handled, $"{service} has not handled {e} (version {e.Version} of {e.Key}).", history.ByOrder[e.Key]);
            }
        }
    }

    public static IEnumerable<Violation> FindDeadLetters(History history, SystemFacts facts)
    {
        var poison = history.Faults.SelectMany(fault => fault.Poison ?? []).ToHashSet();
        foreach (var letter in facts.DeadLetters.Where(letter => letter.Event is null || !poison.Contains(letter.Event)))
        {
            yield return new(NoDeadLetter, $"{letter.Service} has made event {letter.Event} of {letter.Topic} a dead letter: {letter.Reason}");
        }

        var found = facts.DeadLetters.Select(letter => letter.Event).ToHashSet();
        foreach (var lost in poison.Where(id => !found.Contains(id)))
        {
            yield return new(NoDeadLetter, $"The unreadable record {lost} did not become a dead letter.", history.Faults.Where(fault => fault.Poison?.Contains(lost) == true));
        }
    }

    /// <summary>The services that handle an event (docs/messaging.md); other services that read its topic skip it.</summary>
    private static IEnumerable<string> Wanted(EventFact e) => e.Topic switch
    {
        Topics.OrderCreated => ["inventory", "notifications"],
        Topics.OrderUpdated when NotificationRules.TemplateOf(e) is not null => MovesStock(e) ? ["inventory", "notifications"] : ["notifications"],
        Topics.OrderUpdated => MovesStock(e) ? ["inventory"] : [],
        Topics.Reservation => ["orders"],
        _ => [],
    };

    private static bool MovesStock(EventFact e) => e.IsReturn || e.Status is "cancelPending" or "expired" or "revisionPending" or "shipped";

    private static IEnumerable<long> Range(long first, long last)
    {
        for (var number = first; number <= last; number++)
        {
            yield return number;
        }
    }
}

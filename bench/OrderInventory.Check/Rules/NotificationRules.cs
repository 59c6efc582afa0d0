using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Rules;

internal static class NotificationRules
{
    /// <summary>A customer gets exactly one e-mail for each of their orders' events that has a template, and no other e-mail.</summary>
    public const string OnePerEvent = "one notification per event";

    public static IEnumerable<Violation> Find(History history, SystemFacts facts)
    {
        var told = facts.Notifications.Where(n => n.Order is not null && n.Channel == "email").ToLookup(n => n.Event);
        var wanted = facts.Events.DistinctBy(e => e.Id).Select(e => (Event: e, Template: TemplateOf(e))).Where(e => e.Template is not null).ToDictionary(e => e.Event.Id, e => e);
        foreach (var (e, template) in wanted.Values)
        {
            var made = told[e.Id].ToList();
            if (made.Count != 1)
            {
                yield return new(OnePerEvent, $"{e} ({template}, order {e.Key}) has {made.Count} e-mails.", history.ByOrder[e.Key]);
            }
            else if (made[0].Template != template)
            {
                yield return new(OnePerEvent, $"{e} (order {e.Key}) was announced as {made[0].Template}, not as {template}.", history.ByOrder[e.Key]);
            }
        }

        foreach (var stray in told.Where(group => !wanted.ContainsKey(group.Key)).SelectMany(group => group))
        {
            yield return new(OnePerEvent, $"Notification {stray.Id} ({stray.Template}) is about event {stray.Event}, which must not have one or was not published.", history.ByOrder[stray.Order!.Value]);
        }
    }

    /// <summary>The template of the customer's notification (docs/notifications.md); null for an intermediate step.</summary>
    public static string? TemplateOf(EventFact e) => e switch
    {
        { Topic: Topics.OrderCreated } => "orderReceived",
        { Topic: not Topics.OrderUpdated } => null,
        { IsReturn: true } => "orderReturned",
        { Status: "shipped", PreviousStatus: "shipped" } => "shipmentChanged",
        { Status: var status, PreviousStatus: var previous } when status == previous => null,
        { Status: "confirmed", PreviousStatus: "revisionPending" } => "orderRevised",
        { Status: "confirmed" } => "orderConfirmed",
        { Status: "rejected" } => "orderRejected",
        { Status: "expired" } => "orderExpired",
        { Status: "cancelled" } => "orderCancelled",
        { Status: "shipped" } => "orderShipped",
        { Status: "delivered" } => "orderDelivered",
        _ => null,
    };
}

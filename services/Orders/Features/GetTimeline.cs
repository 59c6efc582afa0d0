using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Clients;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Orders.Features;

/// <summary>Everything known to have happened to an order, in every service, for support on the phone.</summary>
internal static class GetTimeline
{
    /// <param name="At">When it happened, UTC, by the clock of the service where it happened, but no earlier than its cause.</param>
    /// <param name="Service">Where: <c>orders</c>, <c>inventory</c> or <c>notifications</c>.</param>
    /// <param name="What">A text such as <c>stock reserved</c>.</param>
    /// <param name="EventId">The event that published or caused it; null for an answer that Orders had to request from Inventory.</param>
    /// <param name="TraceId">The trace in which it happened, if known.</param>
    /// <param name="Data">Further details.</param>
    public sealed record Item(DateTimeOffset At, string Service, string What, Guid? EventId, string? TraceId, JsonNode Data);

    /// <param name="Items">Oldest first.</param>
    /// <param name="Missing">Services that did not answer, or have more facts than are read, so that the items are incomplete.</param>
    public sealed record Response(IReadOnlyList<Item> Items, IReadOnlyList<string> Missing);

    /// <summary>Read what happened to an order</summary>
    /// <remarks>
    /// Order, stock and notification facts, oldest first. A service whose facts are incomplete is named in <c>missing</c>; 404 when there is no
    /// such order. Staff see who did it in <c>sub</c> and <c>role</c>. Roles that may not read notifications get none here; a customer gets the
    /// messages to them, and only those reasons that they wrote themselves.
    /// </remarks>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        Guid id, Caller caller, OrdersDb database, NotificationsClient notifications, CancellationToken cancellationToken)
    {
        var query = Policies.ReadNotifications.Admits(caller)
            ? notifications.FindAsync(id, cancellationToken)
            : Task.FromResult(new NotificationsClient.OrderNotifications([], AreAll: true));
        var history = await database.Set<HistoryEntry>().AsNoTracking().Where(e => e.OrderId == id).ToListAsync(cancellationToken);
        var found = await query;
        if (history.Count == 0 || !await MaySeeAsync(caller, id, database, cancellationToken))
        {
            return Problems.NotFound("order", id);
        }

        var traces = history.ToDictionary(e => e.EventId, e => e.TraceId);
        var facts = history.Select(e => new Item(e.At, e.Service, e.What, e.EventId, e.TraceId, DataOf(e))).ToList();
        if (caller.OnlyCustomer is not null)
        {
            HideStaff([.. facts.Select(i => i.Data.AsObject())]);
        }

        var arrived = facts.Where(i => i.Service == "inventory" && !IsFromSweep(i)).Select(AnswerOf).ToHashSet();
        var items = TimelineOrder.Sort([.. facts
            // An answer that the sweep requested is shown only if its event has not arrived after all.
            .Where(i => !IsFromSweep(i) || !arrived.Contains(AnswerOf(i)))
            .Select(i => IsFromSweep(i) ? i with { EventId = null } : i)
            // A delivery to the shop's webhooks is not a message to the customer.
            .Concat(found.Items.Where(n => caller.OnlyCustomer is null || n.Template != NotificationsClient.WebhookDelivery).Select(n => new Item(
                n.SentAt ?? n.CreatedAt, "notifications", string.Create(CultureInfo.InvariantCulture, $"{n.Channel} {n.Status}"), n.EventId,
                traces.GetValueOrDefault(n.EventId),
                new JsonObject { ["id"] = n.Id, ["template"] = n.Template, ["channel"] = n.Channel, ["status"] = n.Status, ["attempts"] = n.Attempts })))]);
        return TypedResults.Ok(new Response(items, found.AreAll ? [] : ["notifications"]));
    }

    private static bool IsFromSweep(Item item) => item.Service == "inventory" && (string?)item.Data["by"] == By.Sweep;

    private static (long?, string?) AnswerOf(Item item) => ((long?)item.Data["orderVersion"], (string?)item.Data["outcome"]);

    /// <summary>Staff may see every order; for a customer the order has to be read.</summary>
    private static async Task<bool> MaySeeAsync(Caller caller, Guid id, OrdersDb database, CancellationToken cancellationToken) =>
        caller.OnlyCustomer is not { } own || await database.Orders.AnyAsync(order => order.Id == id && order.CustomerId == own, cancellationToken);

    private static JsonObject DataOf(HistoryEntry entry)
    {
        var data = entry.Data is null ? [] : JsonNode.Parse(entry.Data)!.AsObject();
        if (entry.Version is { } version)
        {
            data["version"] = version;
        }

        return data;
    }

    /// <summary>
    /// A customer must see neither which member of staff it was nor what they wrote. The cancelled order repeats the reason of the request, so a
    /// reason is the customer's own if they wrote this text; the reason of an expired order is this service's.
    /// </summary>
    private static void HideStaff(IReadOnlyList<JsonObject> facts)
    {
        var own = facts.Where(data => (string?)data["role"] == Roles.Customer).Select(data => (string?)data["reason"]).ToHashSet();
        foreach (var data in facts)
        {
            if (!own.Contains((string?)data["reason"]) && (string?)data["status"] != StatusNames.Format(OrderStatus.Expired))
            {
                data.Remove("reason");
            }

            data.Remove("sub");
            data.Remove("role");
        }
    }
}

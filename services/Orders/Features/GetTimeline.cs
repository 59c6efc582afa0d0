using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Orders.Clients;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Orders.Features;

/// <summary>All that is known to have happened to an order, in every service, for support at the phone.</summary>
internal static class GetTimeline
{
    /// <param name="At">When it happened, UTC, by the clock of the service where it did, but no earlier than what led to it.</param>
    /// <param name="Service">Where: <c>orders</c>, <c>inventory</c> or <c>notifications</c>.</param>
    /// <param name="What">In words, such as <c>stock reserved</c>.</param>
    /// <param name="EventId">The event that tells of it, or that led to it; null for an answer of Inventory's that had to be asked for.</param>
    /// <param name="TraceId">The trace to look it up in, when it was recorded.</param>
    /// <param name="Data">What else belongs to it.</param>
    public sealed record Item(DateTimeOffset At, string Service, string What, Guid? EventId, string? TraceId, JsonNode Data);

    /// <param name="Items">Oldest first.</param>
    /// <param name="Missing">Services that did not answer, or had more to tell than is read, so that not all of their facts are among the items.</param>
    public sealed record Response(IReadOnlyList<Item> Items, IReadOnlyList<string> Missing);

    /// <summary>Read what happened to an order</summary>
    /// <remarks>Order, stock and notification facts, oldest first. A service whose facts are not all there is named in <c>missing</c>; 404 without the order. Staff see who did it in <c>sub</c> and <c>role</c>.</remarks>
    public static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        Guid id, Caller caller, OrdersDb database, NotificationsClient notifications, CancellationToken cancellationToken)
    {
        var asking = notifications.FindAsync(id, cancellationToken);
        var history = await database.Set<HistoryEntry>().AsNoTracking().Where(e => e.OrderId == id).ToListAsync(cancellationToken);
        var told = await asking;
        if (history.Count == 0 || !await MaySeeAsync(caller, id, database, cancellationToken))
        {
            return Problems.NotFound("order", id);
        }

        var traces = history.ToDictionary(e => e.EventId, e => e.TraceId);
        var facts = history.Select(e => new Item(e.At, e.Service, e.What, e.EventId, e.TraceId, DataOf(e, caller))).ToList();
        var arrived = facts.Where(i => i.Service == "inventory" && !IsFromSweep(i)).Select(AnswerOf).ToHashSet();
        var items = TimelineOrder.Sort([.. facts
            // An answer that was asked for is the same one as that of its event, if the event came later after all.
            .Where(i => !IsFromSweep(i) || !arrived.Contains(AnswerOf(i)))
            .Select(i => IsFromSweep(i) ? i with { EventId = null } : i)
            .Concat(told.Items.Select(n => new Item(
                n.SentAt ?? n.CreatedAt, "notifications", string.Create(CultureInfo.InvariantCulture, $"{n.Channel} {n.Status}"), n.EventId,
                traces.GetValueOrDefault(n.EventId),
                new JsonObject { ["id"] = n.Id, ["template"] = n.Template, ["channel"] = n.Channel, ["status"] = n.Status, ["attempts"] = n.Attempts })))]);
        return TypedResults.Ok(new Response(items, told.AreAll ? [] : ["notifications"]));
    }

    private static bool IsFromSweep(Item item) => item.Service == "inventory" && (string?)item.Data["by"] == By.Sweep;

    private static (long?, string?) AnswerOf(Item item) => ((long?)item.Data["orderVersion"], (string?)item.Data["outcome"]);

    /// <summary>Staff ask nothing more; for a customer the order has to be looked at.</summary>
    private static async Task<bool> MaySeeAsync(Caller caller, Guid id, OrdersDb database, CancellationToken cancellationToken) =>
        caller.OnlyCustomer is not { } own || await database.Orders.AnyAsync(order => order.Id == id && order.CustomerId == own, cancellationToken);

    private static JsonObject DataOf(HistoryEntry entry, Caller caller)
    {
        var data = entry.Data is null ? [] : JsonNode.Parse(entry.Data)!.AsObject();
        if (entry.Version is { } version)
        {
            data["version"] = version;
        }

        if (caller.OnlyCustomer is not null)
        {
            // Who of the staff it was is not the customer's to know.
            data.Remove("sub");
            data.Remove("role");
        }

        return data;
    }
}

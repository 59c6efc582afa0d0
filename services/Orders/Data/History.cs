using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;
using NpgsqlTypes;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Orders.Data;

/// <summary>The data of a timeline entry besides its text.</summary>
/// <param name="Status">The order's status after the change.</param>
/// <param name="PreviousStatus">The status before it.</param>
/// <param name="By">Who caused it: <c>caller</c>, <c>inventory</c> or <c>sweep</c>. For Inventory's answer: <c>sweep</c> if it asked for it.</param>
/// <param name="Sub">The caller's subject, for a request.</param>
/// <param name="Role">The role in which the caller did it.</param>
/// <param name="Reason">Why, as free text.</param>
/// <param name="OrderVersion">For Inventory's answer: the version that it answers.</param>
/// <param name="Outcome">For Inventory's answer.</param>
/// <param name="Lines">For a refusal: what was short.</param>
/// <param name="Return">For a return.</param>
/// <param name="Carrier">For a shipment.</param>
/// <param name="TrackingNumber">For a shipment.</param>
internal sealed record HistoryData(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] OrderStatus? Status = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] OrderStatus? PreviousStatus = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? By = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Sub = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Role = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? OrderVersion = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ReservationOutcome? Outcome = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<Shortage>? Lines = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] OrderReturn? Return = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Carrier = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? TrackingNumber = null);

/// <summary>Who caused a change of an order.</summary>
internal static class By
{
    /// <summary>A request.</summary>
    public const string Caller = "caller";

    /// <summary>Inventory's answer.</summary>
    public const string Inventory = "inventory";

    /// <summary>The sweep over orders that wait too long.</summary>
    public const string Sweep = "sweep";
}

/// <summary>Who caused a change, as stored in the history: the token's subject and role, and nothing else of the token.</summary>
internal sealed record Actor(string By, string? Sub = null, string? Role = null)
{
    public static readonly Actor Inventory = new(Data.By.Inventory);
    public static readonly Actor Sweep = new(Data.By.Sweep);

    public static Actor Of(Caller caller) => new(Data.By.Caller, caller.Sub, caller.Role);
}

/// <summary>Makes the rows of <c>order_history</c>.</summary>
internal static class History
{
    public static HistoryEntry Placed(Order order, OutboxMessage created, Actor by) => new()
    {
        OrderId = order.Id,
        EventId = created.Id,
        Version = order.Version,
        At = order.PlacedAt,
        Service = "orders",
        What = "order placed",
        Data = Write(new(order.Status, null, by.By, by.Sub, by.Role)),
        TraceId = Activity.Current?.TraceId.ToString(),
    };

    public static HistoryEntry Changed(Order order, OrderStatus previousStatus, OrderReturn? returned, OutboxMessage updated, Actor by, ReceivedEvent? cause) => new()
    {
        OrderId = order.Id,
        EventId = updated.Id,
        Version = order.Version,
        At = order.UpdatedAt,
        Service = "orders",
        What = returned is not null ? "goods returned"
            : (previousStatus, order.Status) is (OrderStatus.Shipped, OrderStatus.Shipped) ? "shipment corrected"
            : previousStatus == OrderStatus.RevisionPending && order.Status == OrderStatus.Confirmed
            ? order.Revision?.Status == RevisionStatus.Applied ? "revision applied" : "revision refused"
            : order.Status switch
            {
                OrderStatus.RevisionPending => "revision requested",
                OrderStatus.CancelPending => "cancel requested",
                _ => $"order {StatusNames.Format(order.Status)}",
            },
        Data = Write(new(
            order.Status, previousStatus, by.By, by.Sub, by.Role, order.Reason, Return: returned,
            Carrier: order.Status == OrderStatus.Shipped ? order.Carrier : null,
            TrackingNumber: order.Status == OrderStatus.Shipped ? order.TrackingNumber : null)),
        TraceId = TraceOf(cause),
    };

    /// <summary>Inventory's answer, whether it changed the order or came too late.</summary>
    public static HistoryEntry Answered(ReservationDecided decided, ReceivedEvent? cause) => new()
    {
        OrderId = decided.OrderId,
        // An answer that the sweep requested has no event id. The row needs one; the timeline does not show it.
        EventId = cause?.Id ?? Guid.CreateVersion7(),
        At = decided.DecidedAt,
        Service = "inventory",
        What = decided.Outcome switch
        {
            ReservationOutcome.Reserved => "stock reserved",
            ReservationOutcome.Rejected => "stock short",
            ReservationOutcome.Revised => "reservation revised",
            ReservationOutcome.RevisionRejected => "stock short for the revision",
            ReservationOutcome.Released => "stock released",
            _ => "stock shipped",
        },
        Data = Write(new(By: cause is null ? By.Sweep : null, OrderVersion: decided.OrderVersion, Outcome: decided.Outcome, Lines: decided.Lines.Count > 0 ? decided.Lines : null)),
        TraceId = TraceOf(cause),
    };

    public static NpgsqlBatchCommand Insert(IReadOnlyList<HistoryEntry> entries) => new(
        """
        INSERT INTO order_history (order_id, event_id, version, at, service, what, data, trace_id)
        SELECT order_id, event_id, version, at, service, what, data::jsonb, trace_id
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS n (order_id, event_id, version, at, service, what, data, trace_id)
        ON CONFLICT DO NOTHING
        """)
    {
        Parameters =
        {
            OutboxSql.Array(entries, e => e.OrderId, NpgsqlDbType.Uuid),
            OutboxSql.Array(entries, e => e.EventId, NpgsqlDbType.Uuid),
            OutboxSql.Array(entries, e => e.Version, NpgsqlDbType.Bigint),
            OutboxSql.Array(entries, e => e.At.UtcDateTime, NpgsqlDbType.TimestampTz),
            OutboxSql.Array(entries, e => e.Service, NpgsqlDbType.Text),
            OutboxSql.Array(entries, e => e.What, NpgsqlDbType.Text),
            OutboxSql.Array(entries, e => e.Data, NpgsqlDbType.Text),
            OutboxSql.Array(entries, e => e.TraceId, NpgsqlDbType.Text),
        },
    };

    private static string Write(HistoryData data) => JsonSerializer.Serialize(data, OrdersJson.Default.HistoryData);

    private static string? TraceOf(ReceivedEvent? cause) => cause?.TraceParent is { } parent
        ? ActivityContext.TryParse(parent, null, out var context) ? context.TraceId.ToString() : null
        : Activity.Current?.TraceId.ToString();
}

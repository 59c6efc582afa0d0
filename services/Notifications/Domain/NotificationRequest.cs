using System.Text.Json.Serialization;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Orders;

namespace OrderInventory.Notifications.Domain;

/// <summary>Who is to be notified of an event, and with which template.</summary>
internal sealed record NotificationRequest(string Template, Guid? OrderId, Guid? CustomerId, string RecipientRef, NotificationData Data, long? OrderVersion = null)
{
    public const string InventoryManager = "inventory-manager";

    public static NotificationRequest For(OrderCreated order) =>
        ForCustomer(Templates.OrderReceived, order.OrderId, order.CustomerId, order.Version, NotificationData.Of(order.Lines, order.Total));

    /// <summary>Null when the customer is not notified of this change.</summary>
    public static NotificationRequest? For(OrderUpdated order) => Templates.For(order) is { } template
        ? ForCustomer(template, order.OrderId, order.CustomerId, order.Version, NotificationData.Of(LinesOf(order), order.Total) with
        {
            RevisionRejected = template == Templates.OrderRevised && order.Revision?.Status == RevisionStatus.Rejected ? true : null,
            Shortages = Shortages(order, template),
        })
        : null;

    /// <summary>Reports that a product's stock is low, or no longer low.</summary>
    public static NotificationRequest For(StockAlert alert) => new(
        alert.Low ? Templates.LowStock : Templates.LowStockLeft, null, null, InventoryManager,
        new() { ProductId = alert.ProductId, Available = alert.Available, Threshold = alert.Threshold });

    private static NotificationRequest ForCustomer(string template, Guid orderId, Guid customerId, long version, NotificationData data) =>
        new(template, orderId, customerId, customerId.ToString(), data, version);

    /// <summary>The lines that the message lists: for a return, what came back.</summary>
    private static IReadOnlyList<OrderLine> LinesOf(OrderUpdated order) => order.Return is not { } returned
        ? order.Lines
        : [.. returned.Lines.Select(back => order.Lines.FirstOrDefault(l => l.ProductId == back.ProductId) is { } line
            ? line with { Quantity = back.Quantity }
            : new(back.ProductId, "", back.ProductId.ToString(), back.Quantity, order.Total))];

    private static List<NotificationData.Shortage>? Shortages(OrderUpdated order, string template)
    {
        var (rejection, lines) = template switch
        {
            Templates.OrderRejected => (order.Rejection, order.Lines),
            Templates.OrderRevised => (order.Revision?.Rejection, order.Revision?.Lines ?? []),
            _ => (null, []),
        };
        return rejection?.Lines
            .Take(NotificationData.MaxLines)
            .Select(s => new NotificationData.Shortage(
                lines.FirstOrDefault(l => l.ProductId == s.ProductId)?.Name ?? s.ProductId.ToString(), s.Requested, s.Available))
            .ToList();
    }
}

/// <summary>What the templates need of an event, and nothing else: it is stored with every notification.</summary>
internal sealed record NotificationData
{
    /// <summary>Maximum number of lines in a message. An order has up to 500; nobody reads them all in a mail.</summary>
    public const int MaxLines = 50;

    public Money? Total { get; init; }
    public IReadOnlyList<Line>? Lines { get; init; }

    /// <summary>How many lines there are beyond <see cref="Lines"/>.</summary>
    public int? MoreLines { get; init; }

    public bool? RevisionRejected { get; init; }
    public IReadOnlyList<Shortage>? Shortages { get; init; }
    public Guid? ProductId { get; init; }
    public long? Available { get; init; }
    public long? Threshold { get; init; }

    /// <summary>This property and the next three are never recorded: they are requested when the message is sent.</summary>
    public string? Sku { get; init; }

    public string? ProductName { get; init; }
    public string? Carrier { get; init; }
    public string? TrackingNumber { get; init; }

    public static NotificationData Of(IReadOnlyList<OrderLine> lines, Money total) => new()
    {
        Total = total,
        Lines = [.. lines.Take(MaxLines).Select(l => new Line(l.Name, l.Quantity))],
        MoreLines = lines.Count > MaxLines ? lines.Count - MaxLines : null,
    };

    public sealed record Line(string Name, int Quantity);

    public sealed record Shortage(string Name, long Requested, long Available);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NotificationData))]
internal sealed partial class NotificationJson : JsonSerializerContext;

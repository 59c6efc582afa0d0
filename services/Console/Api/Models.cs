using System.Globalization;
using System.Text.Json;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Console.Api;

// The parts of the API's responses that pages show; members that no page shows are left out.

public sealed record ItemPage<T>(IReadOnlyList<T> Items, string? Next, IReadOnlyList<string>? Missing = null);

public sealed record Money(decimal Amount, string Currency)
{
    public string Show() => MoneyText.Format(Amount, Currency, CultureInfo.CurrentUICulture.Name);
}

public sealed record Line(Guid ProductId, string Sku, string Name, int Quantity, Money UnitPrice, Money Total);

public sealed record Shortage(Guid ProductId, long Requested, long Available);

public sealed record Rejection(string Code, IReadOnlyList<Shortage> Lines);

public sealed record Revision(string Status, IReadOnlyList<Line> Lines);

public sealed record ReturnedLine(Guid ProductId, int Quantity);

public sealed record Return(IReadOnlyList<ReturnedLine> Lines, bool Restock);

public sealed record Order(
    Guid Id, Guid CustomerId, string Status, IReadOnlyList<Line> Lines, Money Total, Rejection? Rejection, Revision? Revision, string? Carrier, string? TrackingNumber,
    JsonElement? ShipTo, IReadOnlyList<Return> Returns, long Version, DateTimeOffset PlacedAt, DateTimeOffset UpdatedAt);

public sealed record CountAnswer(Dictionary<string, long> Counts, long Total, bool IsComplete);

public sealed record StatisticsSpan(DateTimeOffset From, DateTimeOffset To, long Placed, long Confirmed, long Rejected, long Cancelled, IReadOnlyList<Money> Revenue);

public sealed record Statistics(string By, string Zone, IReadOnlyList<StatisticsSpan> Items);

public sealed record TimelineItem(DateTimeOffset At, string Service, string What, string? TraceId, JsonElement Data);

public sealed record Timeline(IReadOnlyList<TimelineItem> Items, IReadOnlyList<string> Missing)
{
    /// <summary>The person or client who last changed the order; null when it is not recorded.</summary>
    public string? LastBy => Items.Where(item => item.Service == "orders" && item.Data.ValueKind == JsonValueKind.Object)
        .Select(item => item.Data.TryGetProperty("sub", out var who) ? who.ToString() : null).LastOrDefault(who => who is not null);
}

public sealed record LocationLevel(string Location, long OnHand, long Reserved, long Available);

public sealed record Product(string Sku, string Name, string Status);

public sealed record Level(
    Guid ProductId, long OnHand, long Reserved, long Available, long LowStockThreshold, long Version, DateTimeOffset UpdatedAt, IReadOnlyList<LocationLevel> Locations, Product? Product);

public sealed record Movement(
    Guid Id, string Location, string Kind, long OnHandDelta, long ReservedDelta, Guid? OrderId, string? Reason, string? Reference, DateTimeOffset OccurredAt);

public sealed record StockSpan(DateTimeOffset From, DateTimeOffset To, long OnHand, long Reserved, long In, long Out);

public sealed record StockHistory(IReadOnlyList<StockSpan> Items);

public sealed record LineProblem(string Type, string Title, long? OnHand, long? Reserved);

public sealed record ChangeResult(Guid ProductId, string Location, string Outcome, LineProblem? Problem, Level? Level);

public sealed record ChangeAnswer(IReadOnlyList<ChangeResult> Items);

public sealed record Notification(
    Guid Id, Guid? OrderId, string Template, string Channel, string? Recipient, string Status, int Attempts, DateTimeOffset CreatedAt, DateTimeOffset? SentAt, string? LastError,
    string? TemplateLanguage);

public sealed record ResendAnswer(int Resent, IReadOnlyList<Guid> Refused, bool HasMore);

public sealed record DeadLetter(
    Guid Id, string Topic, string Key, string? EventType, string Reason, int Attempts, string? TraceId, DateTimeOffset CreatedAt, JsonElement? Payload);

public sealed record DeadLetterCount(long Count);

public sealed record ReplayAnswer(int Applied, int FailedAgain, bool HasMore);

public sealed record DiscardAnswer(int Discarded, bool HasMore);

public sealed record Outbox(long Length, double LagSeconds);

public sealed record HeldLine(Guid ProductId, string Location, long Quantity);

public sealed record Reservation(Guid OrderId, string Outcome, IReadOnlyList<HeldLine> Lines);

public sealed record CatalogueProduct(
    Guid Id, string Sku, string Name, string? Description, string? Category, Money Price, Dictionary<string, string> Attributes, Guid? VariantOf, string Status, long Version);

public sealed record Customer(Guid Id, string Name, string Email, string? Phone, IReadOnlyList<JsonElement> Addresses, string Language, long Version);

public sealed record StockLocation(string Code, string Name, bool Active);

public sealed record CheckedLine(Guid ProductId, long Requested, long Available);

public sealed record StockCheck(bool Sufficient, IReadOnlyList<CheckedLine> Lines);

public sealed record Webhook(Guid Id, string Url, IReadOnlyList<string>? EventTypes, bool Active, long Version, string? DisabledReason, string? Secret);

public sealed record Delivery(Guid Id, string EventType, int Attempt, DateTimeOffset AttemptedAt, int? StatusCode, int DurationMs, string? Error);

public sealed record TestDelivery(int? StatusCode, int DurationMs, string? Error);

public sealed record TemplateEntry(string Template, string Channel, string Language, long Version)
{
    public string Path => $"{Template}/{Channel}/{Language}";
}

public sealed record MessageTemplate(long Version, string? Subject, string Body, string? Html, DateTimeOffset? UpdatedAt);

public sealed record RenderedMail(string? Subject, string Body, string? Html);

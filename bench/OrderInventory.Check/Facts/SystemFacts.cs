using Confluent.Kafka;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Facts;

/// <summary>The contents of the databases and the topics when everything is quiet.</summary>
internal sealed record SystemFacts
{
    public IReadOnlyList<OrderFact> Orders { get; init; } = [];
    public IReadOnlyList<KeyFact> OrderKeys { get; init; } = [];
    public IReadOnlyList<ReservationFact> Reservations { get; init; } = [];
    public IReadOnlyList<LevelFact> Levels { get; init; } = [];

    /// <summary>In the order of the ledger: by product and id.</summary>
    public IReadOnlyList<MovementFact> Movements { get; init; } = [];

    public IReadOnlyList<HoldFact> Holds { get; init; } = [];
    public IReadOnlyList<NotificationFact> Notifications { get; init; } = [];
    public IReadOnlyList<InboxFact> Inbox { get; init; } = [];
    public IReadOnlyList<DeadLetterFact> DeadLetters { get; init; } = [];

    /// <summary>Rows that no relay has published.</summary>
    public IReadOnlyList<OutboxFact> Outbox { get; init; } = [];

    /// <summary>All records of the topics; within a partition in the order of offsets.</summary>
    public IReadOnlyList<EventFact> Events { get; init; } = [];
}

internal sealed record OrderFact(
    Guid Id, Guid Customer, string Status, long Version, IReadOnlyList<Line> Lines, Guid? Hold, IReadOnlyList<Line> Returned, int Returns, string? RejectionCode);

/// <summary>An Idempotency-Key and the order that was created with it.</summary>
internal sealed record KeyFact(string Key, Guid Order);

internal sealed record ReservationFact(Guid Order, long Version, string Outcome, IReadOnlyList<StoredLine> Lines, IReadOnlyList<StoredLine> Shipped);

/// <summary>Units of a product at a location.</summary>
internal sealed record StoredLine(Guid ProductId, string Location, long Quantity);

internal sealed record LevelFact(Guid Product, string Location, long OnHand, long Reserved, long Version);

internal sealed record MovementFact(
    Guid Product, Guid Id, string Location, string Kind, long OnHand, long Reserved, Guid? Order, Guid? Hold, Guid? Event, string? Reference);

internal sealed record HoldFact(Guid Id, string Status, Guid? Order, IReadOnlyList<Line> Wanted, IReadOnlyList<StoredLine> Held);

internal sealed record NotificationFact(Guid Id, Guid Event, string Template, string Channel, string Recipient, Guid? Order, string Status);

/// <summary>An event that a service has handled.</summary>
internal sealed record InboxFact(string Service, Guid Event);

internal sealed record DeadLetterFact(string Service, Guid Id, string Topic, string? Event, string Reason);

internal sealed record OutboxFact(string Service, Guid Id, string Topic, string Key);

/// <summary>A record of a topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Offset">Its offset there.</param>
/// <param name="Key">The aggregate's id.</param>
/// <param name="Id">The <c>ce_id</c>.</param>
/// <param name="Version">The aggregate's version.</param>
/// <param name="Status">The order's status after the change; null in other events.</param>
/// <param name="PreviousStatus">The order's status before the change; null in other events.</param>
/// <param name="IsReturn">Whether the event is a return of goods.</param>
/// <param name="Lines">The order's lines; empty in other events.</param>
internal sealed record EventFact(
    string Topic, int Partition, long Offset, Guid Key, Guid Id, long Version, string? Status = null, string? PreviousStatus = null, bool IsReturn = false,
    IReadOnlyList<Line>? Lines = null)
{
    public override string ToString() => $"{Topic} [{Partition}] @{Offset} {Id}";
}

internal static class Topics
{
    public const string OrderCreated = "order.created";
    public const string OrderUpdated = "order.updated";
    public const string Reservation = "inventory.reservation";
    public const string InventoryUpdated = "inventory.updated";

    public static readonly string[] All = [OrderCreated, OrderUpdated, Reservation, InventoryUpdated];

    /// <exception cref="KafkaException">No broker answers.</exception>
    public static List<TopicPartition> Partitions(IAdminClient admin, TimeSpan timeout) =>
    [
        .. admin.GetMetadata(timeout).Topics.Where(topic => All.Contains(topic.Topic))
            .SelectMany(topic => topic.Partitions.Select(partition => new TopicPartition(topic.Topic, partition.PartitionId))),
    ];
}

using System.Text.Json.Serialization;
using OrderInventory.Contracts.Orders;

namespace OrderInventory.Contracts.Inventory;

/// <summary>Inventory's answer to one version of one order.</summary>
/// <param name="OrderId">The order; the Kafka key.</param>
/// <param name="OrderVersion">The version of the order that is answered.</param>
/// <param name="Outcome">What Inventory decided.</param>
/// <param name="Lines">For the two refusals, the products that were short; otherwise empty.</param>
/// <param name="DecidedAt">Time of the decision, UTC.</param>
public sealed record ReservationDecided(
    Guid OrderId,
    long OrderVersion,
    ReservationOutcome Outcome,
    IReadOnlyList<Shortage> Lines,
    DateTimeOffset DecidedAt)
{
    /// <summary>The Kafka topic.</summary>
    public const string Topic = "inventory.reservation";

    /// <summary>The CloudEvents type.</summary>
    public const string Type = "inventory.reservation.v1";
}

/// <summary>What Inventory decided for a version of an order.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<ReservationOutcome>))]
public enum ReservationOutcome
{
    /// <summary>Every line is reserved.</summary>
    Reserved,

    /// <summary>Something was short; nothing is reserved.</summary>
    Rejected,

    /// <summary>The reservation holds the revised lines now.</summary>
    Revised,

    /// <summary>Something was short for the revision; the reservation is unchanged.</summary>
    RevisionRejected,

    /// <summary>Nothing is reserved any more, and nothing ever will be for this order.</summary>
    Released,

    /// <summary>The reserved units have left the warehouse.</summary>
    Shipped,
}

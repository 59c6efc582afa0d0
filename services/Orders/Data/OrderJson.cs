using System.Text.Json;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Domain;

namespace OrderInventory.Orders.Data;

/// <summary>JSON in columns of an order.</summary>
internal static class OrderJson
{
    public static string? Write(Rejection? rejection) => rejection is null ? null : JsonSerializer.Serialize(rejection, OrdersJson.Default.Rejection);

    public static string? Write(Revision? revision) => revision is null ? null : JsonSerializer.Serialize(revision, OrdersJson.Default.Revision);

    public static string? Write(ShipTo? shipTo) => shipTo is null ? null : JsonSerializer.Serialize(shipTo, OrdersJson.Default.ShipTo);

    public static string? Write(IReadOnlyList<OrderReturn> returns) =>
        returns.Count == 0 ? null : JsonSerializer.Serialize(returns, OrdersJson.Default.IReadOnlyListOrderReturn);

    public static ShipTo? ReadShipTo(string? json) => json is null ? null : JsonSerializer.Deserialize(json, OrdersJson.Default.ShipTo);

    public static IReadOnlyList<OrderReturn> ReadReturns(string? json) =>
        json is null ? [] : JsonSerializer.Deserialize(json, OrdersJson.Default.IReadOnlyListOrderReturn)!;

    public static Rejection? ReadRejection(string? json) => json is null ? null : JsonSerializer.Deserialize(json, OrdersJson.Default.Rejection);

    public static Revision? ReadRevision(string? json) => json is null ? null : JsonSerializer.Deserialize(json, OrdersJson.Default.Revision);
}

using System.Text.Json;
using System.Text.Json.Serialization;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Clients;
using OrderInventory.Orders.Domain;
using OrderInventory.Orders.Features;

namespace OrderInventory.Orders.Data;

/// <summary>JSON in columns, in the cache, to other services and on the hot endpoints, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Rejection))]
[JsonSerializable(typeof(Revision))]
[JsonSerializable(typeof(ShipTo))]
[JsonSerializable(typeof(IReadOnlyList<OrderReturn>))]
[JsonSerializable(typeof(HistoryData))]
[JsonSerializable(typeof(InventoryClient.ReservationResponse))]
[JsonSerializable(typeof(NotificationsClient.NotificationList))]
[JsonSerializable(typeof(OrderView))]
[JsonSerializable(typeof(IReadOnlyList<OrderView>))]
[JsonSerializable(typeof(PlaceOrder.Request))]
[JsonSerializable(typeof(ReturnGoods.Request), TypeInfoPropertyName = "ReturnGoodsRequest")]
[JsonSerializable(typeof(ProductsClient.ProductList))]
[JsonSerializable(typeof(CustomersClient.CustomerList))]
internal sealed partial class OrdersJson : JsonSerializerContext;

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

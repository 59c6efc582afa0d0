using System.Text.Json.Serialization;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Clients;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Domain;
using OrderInventory.Orders.Features;

namespace OrderInventory.Orders;

/// <summary>JSON for columns, the cache, calls to other services and the hot endpoints, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Rejection))]
[JsonSerializable(typeof(Revision))]
[JsonSerializable(typeof(ShipTo))]
[JsonSerializable(typeof(IReadOnlyList<OrderReturn>))]
[JsonSerializable(typeof(HistoryData))]
[JsonSerializable(typeof(InventoryClient.ReservationResponse))]
[JsonSerializable(typeof(InventoryClient.OrdersAtLocation))]
[JsonSerializable(typeof(NotificationsClient.NotificationList))]
[JsonSerializable(typeof(OrderView))]
[JsonSerializable(typeof(IReadOnlyList<OrderView>))]
[JsonSerializable(typeof(PlaceOrder.Request))]
[JsonSerializable(typeof(ReturnGoods.Request), TypeInfoPropertyName = "ReturnGoodsRequest")]
[JsonSerializable(typeof(ProductsClient.ProductList))]
[JsonSerializable(typeof(CustomersClient.CustomerList))]
internal sealed partial class OrdersJson : JsonSerializerContext;

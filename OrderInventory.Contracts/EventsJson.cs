using System.Text.Json.Serialization;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Contracts.Products;

namespace OrderInventory.Contracts;

/// <summary>
/// JSON format of event data: camelCase, no reflection. A non-nullable member that is missing or null is an error
/// (a poison message); an unknown member is ignored, because publishers may add members.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(OrderCreated))]
[JsonSerializable(typeof(StockCheckRequested))]
[JsonSerializable(typeof(StockCheckReplied))]
[JsonSerializable(typeof(OrderUpdated))]
[JsonSerializable(typeof(ReservationDecided))]
[JsonSerializable(typeof(InventoryUpdated))]
[JsonSerializable(typeof(ProductUpdated))]
[JsonSerializable(typeof(CustomerUpdated))]
public sealed partial class EventsJson : JsonSerializerContext;

using System.Text.Json.Serialization;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Clients;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Features;

namespace OrderInventory.Inventory;

/// <summary>JSON in columns, in the cache and on the hot endpoints, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<ReservedLine>))]
[JsonSerializable(typeof(IReadOnlyList<Shortage>))]
[JsonSerializable(typeof(IReadOnlyList<long>))]
[JsonSerializable(typeof(StockLevel))]
[JsonSerializable(typeof(string[]), TypeInfoPropertyName = "Codes")]
[JsonSerializable(typeof(CheckStock.Request))]
[JsonSerializable(typeof(StockCheckReplied))]
[JsonSerializable(typeof(CreateLocation.Request), TypeInfoPropertyName = "CreateLocationRequest")]
[JsonSerializable(typeof(CreateHold.Request), TypeInfoPropertyName = "CreateHoldRequest")]
[JsonSerializable(typeof(AdjustStock.Request), TypeInfoPropertyName = "AdjustStockRequest")]
[JsonSerializable(typeof(TakeStock.Request), TypeInfoPropertyName = "TakeStockRequest")]
[JsonSerializable(typeof(TransferStock.Request), TypeInfoPropertyName = "TransferStockRequest")]
[JsonSerializable(typeof(ChangeStock.Request), TypeInfoPropertyName = "ChangeStockRequest")]
[JsonSerializable(typeof(IReadOnlyList<HoldLine>))]
[JsonSerializable(typeof(ImportStock.Row), TypeInfoPropertyName = "ImportStockRow")]
[JsonSerializable(typeof(OrdersClient.OpenLines))]
internal sealed partial class InventoryJson : JsonSerializerContext;

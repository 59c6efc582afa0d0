using System.Text.Json;
using System.Text.Json.Serialization;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Inventory.Clients;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Features;

namespace OrderInventory.Inventory.Data;

/// <summary>JSON in columns, in the cache and on the hot endpoints, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<ReservedLine>))]
[JsonSerializable(typeof(IReadOnlyList<Shortage>))]
[JsonSerializable(typeof(IReadOnlyList<long>))]
[JsonSerializable(typeof(StockLevel))]
[JsonSerializable(typeof(CheckStock.Request))]
[JsonSerializable(typeof(CheckStock.Response))]
[JsonSerializable(typeof(CreateLocation.Request), TypeInfoPropertyName = "CreateLocationRequest")]
[JsonSerializable(typeof(CreateHold.Request), TypeInfoPropertyName = "CreateHoldRequest")]
[JsonSerializable(typeof(AdjustStock.Request), TypeInfoPropertyName = "AdjustStockRequest")]
[JsonSerializable(typeof(TakeStock.Request), TypeInfoPropertyName = "TakeStockRequest")]
[JsonSerializable(typeof(TransferStock.Request), TypeInfoPropertyName = "TransferStockRequest")]
[JsonSerializable(typeof(IReadOnlyList<HoldLine>))]
[JsonSerializable(typeof(ImportStock.Row), TypeInfoPropertyName = "ImportStockRow")]
[JsonSerializable(typeof(OrdersClient.OpenLines))]
internal sealed partial class InventoryJson : JsonSerializerContext;

/// <summary>Enum values as they stand in columns: the same camelCase words as in the API.</summary>
internal static class Outcomes
{
    private static readonly Dictionary<ReservationOutcome, string> s_outcomes =
        Enum.GetValues<ReservationOutcome>().ToDictionary(o => o, o => JsonNamingPolicy.CamelCase.ConvertName(o.ToString()));

    private static readonly Dictionary<MovementKind, string> s_kinds =
        Enum.GetValues<MovementKind>().ToDictionary(k => k, k => JsonNamingPolicy.CamelCase.ConvertName(k.ToString()));

    private static readonly Dictionary<HoldStatus, string> s_holds =
        Enum.GetValues<HoldStatus>().ToDictionary(s => s, s => JsonNamingPolicy.CamelCase.ConvertName(s.ToString()));

    public static string Format(HoldStatus status) => s_holds[status];

    public static HoldStatus ParseHold(string status) => Enum.Parse<HoldStatus>(status, ignoreCase: true);

    public static string Format(ReservationOutcome outcome) => s_outcomes[outcome];

    public static string Format(MovementKind kind) => s_kinds[kind];

    public static ReservationOutcome Parse(string outcome) => Enum.Parse<ReservationOutcome>(outcome, ignoreCase: true);
}

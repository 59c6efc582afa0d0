using System.Text.Json;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Inventory.Domain;

namespace OrderInventory.Inventory.Data;

/// <summary>Enum values as stored in columns: the same camelCase words as in the API.</summary>
internal static class Outcomes
{
    private static readonly Dictionary<ReservationOutcome, string> s_outcomes = Names<ReservationOutcome>();
    private static readonly Dictionary<MovementKind, string> s_kinds = Names<MovementKind>();
    private static readonly Dictionary<HoldStatus, string> s_holds = Names<HoldStatus>();

    public static string Format(HoldStatus status) => s_holds[status];

    public static HoldStatus ParseHold(string status) => Enum.Parse<HoldStatus>(status, ignoreCase: true);

    public static string Format(ReservationOutcome outcome) => s_outcomes[outcome];

    public static string Format(MovementKind kind) => s_kinds[kind];

    public static ReservationOutcome Parse(string outcome) => Enum.Parse<ReservationOutcome>(outcome, ignoreCase: true);

    private static Dictionary<T, string> Names<T>()
        where T : struct, Enum =>
        Enum.GetValues<T>().ToDictionary(value => value, value => JsonNamingPolicy.CamelCase.ConvertName(value.ToString()));
}

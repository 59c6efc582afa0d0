using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrderInventory.Contracts;

/// <summary>Enum values travel as camelCase names; numbers are refused, so that reordering an enum cannot change a meaning.</summary>
public sealed class CamelCaseEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;

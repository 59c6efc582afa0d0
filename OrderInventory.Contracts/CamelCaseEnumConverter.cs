using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrderInventory.Contracts;

/// <summary>Writes enum values as camelCase names. Numbers are rejected, so that reordering an enum cannot change a meaning.</summary>
public sealed class CamelCaseEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;

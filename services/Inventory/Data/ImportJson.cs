using System.Text.Json;
using System.Text.Json.Serialization;
using OrderInventory.Inventory.Features;

namespace OrderInventory.Inventory.Data;

/// <summary>Lines of imports and exports: read as strictly as requests are, and written without what is not there.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ImportStock.Row))]
[JsonSerializable(typeof(ImportStock.Report))]
internal sealed partial class ImportJson : JsonSerializerContext;

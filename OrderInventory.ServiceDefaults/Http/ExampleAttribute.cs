using System.Diagnostics.CodeAnalysis;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>A valid example request for the OpenAPI document; Spectral checks it against the schema.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ExampleAttribute([StringSyntax(StringSyntaxAttribute.Json)] string json) : Attribute
{
    public string Json => json;
}

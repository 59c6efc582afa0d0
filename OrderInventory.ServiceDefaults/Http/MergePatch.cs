using System.Buffers;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>
/// A JSON Merge Patch (RFC 7396): it sets the members that it has, null removes a member, absent members stay. It is applied to the document
/// that a client may change, and the result is read as strictly as any request: an unknown member, even one that is null, is refused (400).
/// </summary>
/// <typeparam name="T">The document: exactly the members that may be patched. They must be serialized even when they are null.</typeparam>
public sealed class MergePatch<T> : IBindableFromHttpContext<MergePatch<T>>, IEndpointParameterMetadataProvider
    where T : class
{
    private readonly JsonElement _patch;
    private readonly JsonTypeInfo<T> _json;

    private MergePatch(JsonElement patch, JsonTypeInfo<T> json)
    {
        _patch = patch;
        _json = json;
    }

    /// <summary>Returns the document after the patch. Throws an exception that the error handler turns into 400.</summary>
    public T ApplyTo(T current)
    {
        try
        {
            var merged = new ArrayBufferWriter<byte>(512);
            using (var writer = new Utf8JsonWriter(merged))
            {
                Merge(JsonSerializer.SerializeToElement(current, _json), _patch, writer, "$", _json);
            }

            return JsonSerializer.Deserialize(merged.WrittenSpan, _json)!;
        }
        catch (JsonException exception)
        {
            throw Unreadable(exception);
        }
        catch (InvalidOperationException exception)
        {
            // A text contains half of a surrogate pair.
            throw Unreadable(new JsonException("The patch is not valid Unicode.", exception));
        }
    }

    /// <summary>Reads the body.</summary>
    static async ValueTask<MergePatch<T>?> IBindableFromHttpContext<MergePatch<T>>.BindAsync(HttpContext http, ParameterInfo parameter)
    {
        // Routing accepts any application/…+json as application/json, including JSON Patch (RFC 6902).
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)
            || !(type.MediaType.Equals(MergePatchContentType.Value, StringComparison.OrdinalIgnoreCase)
                || type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)))
        {
            throw new BadHttpRequestException("The body must be a JSON Merge Patch.", StatusCodes.Status415UnsupportedMediaType);
        }

        var options = http.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;
        try
        {
            var patch = await StrictJson.ReadAsync(http.Request, options);
            return patch.ValueKind == JsonValueKind.Object
                ? new MergePatch<T>(patch, (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T)))
                : throw new JsonException("The patch must be a JSON object.");
        }
        catch (JsonException exception)
        {
            throw Unreadable(exception);
        }
    }

    /// <summary>For OpenAPI, and so that other content types are 415.</summary>
    static void IEndpointParameterMetadataProvider.PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata([MergePatchContentType.Value, "application/json"], typeof(T)));

    private static BadHttpRequestException Unreadable(JsonException exception) => new("The patch cannot be read.", StatusCodes.Status400BadRequest, exception);

    private static void Merge(JsonElement current, JsonElement patch, Utf8JsonWriter writer, string path, JsonTypeInfo? type)
    {
        var isMap = type is { Kind: JsonTypeInfoKind.Dictionary };
        var changes = new Dictionary<string, JsonElement>();
        foreach (var member in patch.EnumerateObject())
        {
            if (!changes.TryAdd(NameOf(member), member.Value))
            {
                throw new JsonException("The name occurs more than once.", $"{path}.{member.Name}", null, null);
            }
        }

        var seen = new HashSet<string>();
        writer.WriteStartObject();
        foreach (var member in current.EnumerateObject())
        {
            var name = NameOf(member);
            seen.Add(name);
            if (!changes.TryGetValue(name, out var change))
            {
                member.WriteTo(writer);
            }
            else if (change.ValueKind == JsonValueKind.Object)
            {
                // Where there was no object, the patch is merged with itself: this drops its nulls, and the deserializer refuses unknown members.
                var inner = member.Value.ValueKind == JsonValueKind.Object ? member.Value : change;
                writer.WritePropertyName(name);
                Merge(inner, change, writer, $"{path}.{name}", TypeOf(type, name));
            }
            else if (change.ValueKind != JsonValueKind.Null)
            {
                writer.WritePropertyName(name);
                change.WriteTo(writer);
            }
        }

        foreach (var (name, value) in changes.Where(change => !seen.Contains(change.Key)))
        {
            // A map takes any name, and removing a name that it does not have changes nothing (RFC 7396, section 2).
            if (!isMap)
            {
                throw new JsonException("Unknown member.", $"{path}.{name}", null, null);
            }

            if (value.ValueKind != JsonValueKind.Null)
            {
                writer.WritePropertyName(name);
                value.WriteTo(writer);
            }
        }

        writer.WriteEndObject();

        // The names of a map are data, which is stored in NFC.
        string NameOf(JsonProperty member) => isMap ? Nfc.Normalize(member.Name) : member.Name;
    }

    private static JsonTypeInfo? TypeOf(JsonTypeInfo? parent, string member) =>
        parent?.Properties.FirstOrDefault(property => property.Name == member) is { } property ? parent.Options.GetTypeInfo(property.PropertyType) : null;
}

/// <summary>The media type of a JSON Merge Patch.</summary>
public static class MergePatchContentType
{
    public const string Value = "application/merge-patch+json";
}

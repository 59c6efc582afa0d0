using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>
/// Refuses null as an element of a list or a value of a map whose type is not nullable. The serializer checks the nullability of members only,
/// so <c>[null]</c> would reach handlers that rely on the type.
/// </summary>
internal static class NullElements
{
    public static void Refuse(JsonSerializerOptions options) =>
        options.TypeInfoResolver = options.TypeInfoResolver?.WithAddedModifier(AddCheck);

    private static void AddCheck(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object)
        {
            return;
        }

        var nullability = new NullabilityInfoContext();
        var lists = type.Properties
            .Where(member => member.Get is not null && member.AttributeProvider is PropertyInfo property && HasElements(nullability.Create(property)))
            .ToArray();
        if (lists.Length == 0)
        {
            return;
        }

        var before = type.OnDeserialized;
        type.OnDeserialized = value =>
        {
            before?.Invoke(value);
            foreach (var member in lists)
            {
                if (FindNull(member.Get!(value)) is { } place)
                {
                    throw new NullElementException(member.Name + place);
                }
            }
        };
    }

    /// <summary>Whether the type is a list or map of non-nullable references.</summary>
    private static bool HasElements(NullabilityInfo type)
    {
        var element = type.ElementType ?? (type.Type != typeof(string) && type.Type.IsAssignableTo(typeof(IEnumerable)) ? type.GenericTypeArguments.LastOrDefault() : null);
        return element is { ReadState: NullabilityState.NotNull } && !element.Type.IsValueType;
    }

    private static string? FindNull(object? list)
    {
        switch (list)
        {
            case IEnumerable<KeyValuePair<string, string>> map:
                return map.Where(pair => pair.Value is null).Select(pair => $".{pair.Key}").FirstOrDefault();
            case IEnumerable elements:
                var index = 0;
                foreach (var element in elements)
                {
                    if (element is null)
                    {
                        return $"[{index}]";
                    }

                    index++;
                }

                return null;
            default:
                return null;
        }
    }
}

/// <summary>An element is null. The exception's path names the object, and <see cref="Place"/> is the rest of the path.</summary>
[SuppressMessage("Design", "CA1032", Justification = "Thrown here only.")]
internal sealed class NullElementException(string place) : JsonException("It must not be null.")
{
    public string Place { get; } = place;
}

using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>
/// How requests are read: nothing is guessed. Unknown members, duplicate members, numbers in strings, missing or null members
/// that are not nullable, nulls in lists, bytes that are not UTF-8, strings that PostgreSQL cannot store, decimals with more digits than
/// can be kept, times without a zone, and enum values that are not spelled as documented are all refused (400).
/// </summary>
public static class StrictJson
{
    public static void Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.PropertyNameCaseInsensitive = false;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.AllowDuplicateProperties = false;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.MaxDepth = 32;
        options.Converters.Add(new StorableStringConverter());
        options.Converters.Add(new ExactDecimalConverter());
        options.Converters.Add(new TimeConverter());
        options.Converters.Add(new EnumConverterFactory());
    }

    /// <summary>
    /// Reads a body as JSON of any kind, just as strictly. A JsonDocument does not check that the bytes of its strings are UTF-8, so they are
    /// checked here; a byte order mark is skipped, as by the serializer.
    /// </summary>
    public static async Task<JsonElement> ReadAsync(HttpRequest request, JsonSerializerOptions options)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        ReadOnlyMemory<byte> json = body.GetBuffer().AsMemory(0, (int)body.Length);
        if (!Utf8.IsValid(json.Span))
        {
            throw new JsonException("The body is not UTF-8.");
        }

        json = json.Span.StartsWith("\uFEFF"u8) ? json[3..] : json;
        try
        {
            using var document = JsonDocument.Parse(json, new() { MaxDepth = options.MaxDepth, AllowDuplicateProperties = false });
            return document.RootElement.Clone();
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("A name is not valid Unicode.", exception);
        }
    }

    /// <summary>PostgreSQL text can hold any character except NUL, and a lone surrogate is not a character.</summary>
    private sealed class StorableStringConverter : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String ? ReadStorable(ref reader) : throw new JsonException("A string is expected.");

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);

        /// <summary>The names of a map are data, like its values.</summary>
        public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ReadStorable(ref reader)!;

        public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WritePropertyName(value);
    }

    private static string? ReadStorable(ref Utf8JsonReader reader)
    {
        string? value;
        try
        {
            value = reader.GetString();
        }
        catch (InvalidOperationException)
        {
            throw new JsonException("The string is not valid Unicode.");
        }

        return value is null ? null : value.Contains('\0') ? throw new JsonException("The string contains U+0000.") : Nfc.Normalize(value);
    }

    /// <summary>Reads a text in the same way as a value in a query.</summary>
    private static string ReadAsInQuery(ref Utf8JsonReader reader, Type type) =>
        reader.TokenType != JsonTokenType.String ? throw new JsonException("A string is expected.")
        : QueryValues.Read(type, ReadStorable(ref reader)!, out var value) is { } wrong ? throw new JsonException(wrong)
        : value;

    /// <summary>The serializer's own reader takes a time without a zone, or a date alone, as local time of the server.</summary>
    private sealed class TimeConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            DateTimeOffset.Parse(ReadAsInQuery(ref reader, typeToConvert), CultureInfo.InvariantCulture);

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(value);
    }

    /// <summary>The serializer's own enum converter accepts values in any case, surrounded by blanks, and several separated by commas.</summary>
    private sealed class EnumConverterFactory : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) => typeToConvert.IsEnum;

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(typeof(EnumConverter<>).MakeGenericType(typeToConvert))!;
    }

    private sealed class EnumConverter<T> : JsonConverter<T>
        where T : struct, Enum
    {
        private static readonly FrozenDictionary<T, JsonEncodedText> s_names =
            Enum.GetValues<T>().ToFrozenDictionary(value => value, value => JsonEncodedText.Encode(JsonNamingPolicy.CamelCase.ConvertName(value.ToString())));

        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Enum.Parse<T>(ReadAsInQuery(ref reader, typeToConvert));

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(s_names[value]);
    }

    private sealed class ExactDecimalConverter : JsonConverter<decimal>
    {
        public override decimal Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.Number)
            {
                throw new JsonException("A number is expected.");
            }

            var bytes = reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan;
            return ExactDecimal.TryParse(Encoding.ASCII.GetString(bytes), NumberStyles.Float, out var value)
                ? value
                : throw new JsonException("The number is out of range, or has more digits than can be kept.");
        }

        public override void Write(Utf8JsonWriter writer, decimal value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
    }
}

using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OrderInventory.ServiceDefaults.Data;

/// <summary>
/// Identifies a request by its meaning: SHA-256 of the parsed request, so that white space and the order of members do not matter, and 18, 18.0 and
/// 1.8e1 are the same number. An endpoint with optional members omits those that have their default value.
/// </summary>
public sealed class RequestFingerprint
{
    private readonly byte[] _json;

    private RequestFingerprint(byte[] json)
    {
        _json = json;
        Hash = SHA256.HashData(WithPlainNumbers(json));
    }

    /// <summary>What is stored with the key.</summary>
    public byte[] Hash { get; }

    public static RequestFingerprint Of<T>(T request, JsonTypeInfo<T> json) => new(JsonSerializer.SerializeToUtf8Bytes(request, json));

    /// <summary>Whether a stored fingerprint matches this request.</summary>
    // Earlier versions hashed numbers as they were written. Their keys live for a day, and a retry may come after an update of the service.
    public bool Is(ReadOnlySpan<byte> stored) => stored.SequenceEqual(Hash) || stored.SequenceEqual(SHA256.HashData(_json));

    private static ReadOnlySpan<byte> WithPlainNumbers(byte[] json)
    {
        if (!json.Contains((byte)'.'))
        {
            return json;
        }

        var plain = new ArrayBufferWriter<byte>(json.Length);
        var reader = new Utf8JsonReader(json);
        var copied = 0;
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Number && reader.TryGetDecimal(out var number))
            {
                var start = (int)reader.TokenStartIndex;
                plain.Write(json.AsSpan(copied, start - copied));
                // G29 drops trailing zeros.
                plain.Write(Encoding.ASCII.GetBytes(number.ToString("G29", CultureInfo.InvariantCulture)));
                copied = start + reader.ValueSpan.Length;
            }
        }

        plain.Write(json.AsSpan(copied));
        return plain.WrittenSpan;
    }
}

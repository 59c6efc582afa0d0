using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OrderInventory.Notifications.Domain;

/// <summary>
/// The symmetric signature of the Standard Webhooks specification (standardwebhooks.com): HMAC-SHA256 over
/// <c>{id}.{timestamp}.{body}</c>, as <c>v1,{base64}</c>; several are separated by a space.
/// </summary>
internal static class WebhookSignature
{
    /// <summary>Marks a secret in base64; of any other secret the UTF-8 bytes are the key.</summary>
    public const string SecretPrefix = "whsec_";

    public const int MinSecretLength = 16;
    public const int MaxSecretLength = 128;

    /// <summary>The specification's limits for a key, in bytes.</summary>
    private const int MinKeyLength = 24, MaxKeyLength = 64;

    /// <summary>What is wrong with a secret, or null.</summary>
    public static string? Check(string secret)
    {
        if (secret.Length is < MinSecretLength or > MaxSecretLength || secret.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return string.Create(CultureInfo.InvariantCulture, $"{MinSecretLength} to {MaxSecretLength} printable ASCII characters without blanks are required.");
        }

        return secret.StartsWith(SecretPrefix, StringComparison.Ordinal) && TryDecode(secret) is not { Length: >= MinKeyLength and <= MaxKeyLength }
            ? string.Create(CultureInfo.InvariantCulture, $"After {SecretPrefix}, base64 of {MinKeyLength} to {MaxKeyLength} bytes is required.")
            : null;
    }

    /// <summary>The header's value: one signature per secret.</summary>
    public static string Sign(Guid id, long timestamp, ReadOnlySpan<byte> body, IEnumerable<string> secrets)
    {
        var prefix = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}."));
        var signed = new byte[prefix.Length + body.Length];
        prefix.CopyTo(signed, 0);
        body.CopyTo(signed.AsSpan(prefix.Length));
        return string.Join(' ', secrets.Select(secret => "v1," + Convert.ToBase64String(HMACSHA256.HashData(Key(secret), signed))));
    }

    private static byte[] Key(string secret) =>
        (secret.StartsWith(SecretPrefix, StringComparison.Ordinal) ? TryDecode(secret) : null) ?? Encoding.UTF8.GetBytes(secret);

    private static byte[]? TryDecode(string secret)
    {
        var key = new byte[MaxSecretLength];
        return Convert.TryFromBase64String(secret[SecretPrefix.Length..], key, out var length) ? key[..length] : null;
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrderInventory.EndToEnd.Tests.Api;

/// <summary>
/// Makes random requests from an OpenAPI document, some valid, most slightly invalid: a member of another type, missing, unknown or out
/// of range, a body that ends too early, ids of other resources. The seed makes a run repeatable.
/// </summary>
internal sealed class RequestGenerator(JsonObject document, KnownResources known, Random random)
{
    private static readonly string[] s_texts =
    [
        "", " ", "tea", "TEA-001", "2026-11-24T08:00:00Z", "de", "ü€𝄞", "\u0000", "'; DROP TABLE orders; --", "{{x}}", "../../etc/passwd", "%00", "null", "true", "-1",
        "1e400", "lowStock", "email", "active", "EUR", "http://webhook.invalid/x", "a@example.com", "+49301234567", new('x', 300), "\"1\"", "& | ! ( ) : * <->",
        // Invisible, decomposed, bidirectional, wide, and outside the Basic Multilingual Plane.
        "\u200B", "TEA-9\u200B", "Cafe\u0301", "\u202Etxt.exe", "\u3000\u3000", "👨‍👩‍👧‍👦", "\uFFFD", "\uFEFFx", "\u0007", "İı",
        // What other parsers accept as numbers, times, words and ids.
        "1,5", "+5", "5-", " 5", "1e1", "0x10", "10:00", "1/2/2026", "2026-11-24T08:00:00", "True", "Active", "EURO", "bogus", "{01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003}",
    ];

    private static readonly string[] s_cursors =
        ["", "x", "AZOSngHOenqKK28fa5wAA!", "AZOSngHOenqKK28fa5wAAw", "AZOSngHOenqKK28fa5wAAwAA", "////////////////////////", "0", "null", "\u0000"];

    private static readonly string[] s_currencies = ["JPY", "KWD", "USD", "ZZZ", "XXX", "eur", "EURO"];

    private static readonly string[] s_charsets = ["utf-8", "\"utf-8\"", "UTF-8", "utf8", "\"klingon\"", "iso-8859-1", "utf-16", "\"", "utf-8; charset=x"];

    private static readonly string[] s_codings = ["br", "gzip", "identity", "gzip, br", "x"];

    private static readonly string[] s_preferences =
        ["wait=0", "wait=\"0\"", "respond-async, Wait=0", "foo=\"a, wait=9\"; bar, wait = 0", "wait", "wait=", "wait=1.5", "wait=-1", ",;=\"", "return=minimal"];

    public HttpRequestMessage Make(string method, string path, JsonNode operation, JsonNode? shared)
    {
        var query = new StringBuilder();
        var headers = new List<(string, string)>();
        var url = random.Next(5) == 0 ? path : known.Find(path) ?? path;
        foreach (var parameter in Parameters(operation, shared))
        {
            var name = (string)parameter["name"]!;
            switch ((string)parameter["in"]!)
            {
                case "path":
                    url = url.Replace($"{{{name}}}", Uri.EscapeDataString(Id(parameter)), StringComparison.Ordinal);
                    break;
                case "query" when random.Next(3) == 0 || (bool?)parameter["required"] == true:
                    for (var times = random.Next(25) == 0 ? 2 : 1; times > 0; times--)
                    {
                        query.Append(query.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(Text(parameter["schema"], name)));
                    }

                    break;
                case "header" when random.Next(4) > 0:
                    headers.Add((name, Header(name, url)));
                    break;
            }
        }

        if (random.Next(25) == 0)
        {
            var names = new[] { "nobodyKnows", "_", "Limit", "staus", "cursor[]", "" };
            query.Append(query.Length == 0 ? '?' : '&').Append(names[random.Next(names.Length)]).Append("=1");
        }

        if (random.Next(20) == 0)
        {
            headers.Add((random.Next(2) == 0 ? "Cookie" : "Referer", "other=B\u00FCcher\u00FF"));
        }

        var request = new HttpRequestMessage(new HttpMethod(method.ToUpperInvariant()), url + query);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (operation["requestBody"]?["content"]?.AsObject() is { Count: > 0 } content)
        {
            var (type, media) = content.ElementAt(random.Next(content.Count));
            var body = type.Contains("json", StringComparison.Ordinal) && !type.Contains("ndjson", StringComparison.Ordinal)
                ? Json(media?["schema"])
                : string.Join('\n', Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(2) == 0 ? Json(media?["schema"]) : "a,b\n1,\"2"));
            request.Content = new ByteArrayContent((random.Next(15) == 0 ? Encoding.Latin1 : Encoding.UTF8).GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", random.Next(8) == 0 ? $"{type}; charset={s_charsets[random.Next(s_charsets.Length)]}" : type);
            if (random.Next(20) == 0)
            {
                request.Content.Headers.TryAddWithoutValidation("Content-Encoding", s_codings[random.Next(s_codings.Length)]);
            }
        }

        return request;
    }

    private static IEnumerable<JsonNode> Parameters(JsonNode operation, JsonNode? shared) =>
        (operation["parameters"]?.AsArray() ?? []).Concat(shared?.AsArray() ?? []).Select(p => p!);

    private string Json(JsonNode? schema)
    {
        var example = Resolve(schema)?["examples"]?[0];
        var text = (example is not null && random.Next(3) > 0 ? Like(example) : Value(schema, 0))?.ToJsonString() ?? "null";
        return random.Next(12) switch
        {
            0 => text[..random.Next(text.Length)],
            1 => string.Concat(Enumerable.Repeat("[", 200)),
            2 => "",
            _ => text,
        };
    }

    private JsonNode? Value(JsonNode? schema, int depth, string name = "")
    {
        schema = Resolve(schema);
        if (schema is null || depth > 6 || random.Next(40) == 0)
        {
            return Anything();
        }

        if (schema["enum"] is JsonArray values && random.Next(8) > 0)
        {
            return values[random.Next(values.Count)]?.DeepClone();
        }

        var types = schema["type"] is JsonArray several ? several.Select(t => (string)t!).ToArray() : schema["type"] is { } one ? [(string)one!] : [];
        if (types.Contains("object") || schema["properties"] is not null)
        {
            return Object(schema, depth);
        }

        if (types.Contains("array"))
        {
            return new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Value(schema["items"], depth + 1, name))]);
        }

        if (types.Contains("integer") || types.Contains("number"))
        {
            return random.Next(8) switch
            {
                0 => JsonValue.Create(-1),
                1 => JsonValue.Create(1.5m),
                2 => JsonNode.Parse("99999999999999999999999"),
                3 => JsonValue.Create(int.MaxValue),
                _ => JsonValue.Create(random.Next(1, 20)),
            };
        }

        if (types.Contains("boolean"))
        {
            return JsonValue.Create(random.Next(2) == 0);
        }

        return types.Contains("null") && random.Next(4) == 0 ? null : JsonValue.Create(Text(schema, name));
    }

    /// <summary>The example with ids of known resources, and now and then something else in place of a value.</summary>
    private JsonNode? Like(JsonNode? example, string name = "") => example switch
    {
        _ when random.Next(40) == 0 => Anything(),
        JsonObject json => new JsonObject(json.Select(member => KeyValuePair.Create(member.Key, Like(member.Value, member.Key)))),
        JsonArray items => new JsonArray([.. items.Select(item => Like(item, name))]),
        JsonValue value when Guid.TryParse(value.ToString(), out _) => Known(name),
        // Values that must be unique usually are.
        JsonValue value when name is "sku" or "email" or "code" && value.GetValueKind() == JsonValueKind.String => Text(null, name),
        _ => example?.DeepClone(),
    };

    private JsonObject Object(JsonNode schema, int depth)
    {
        var json = new JsonObject();
        var required = schema["required"]?.AsArray().Select(r => (string)r!).ToHashSet() ?? [];
        foreach (var (name, member) in schema["properties"]?.AsObject() ?? [])
        {
            if (required.Contains(name) ? random.Next(25) > 0 : random.Next(2) == 0)
            {
                json[name] = Value(member, depth + 1, name);
            }
        }

        if (random.Next(25) == 0)
        {
            json["unknownMember"] = Anything();
        }

        return json;
    }

    private JsonNode? Anything() => random.Next(6) switch
    {
        0 => null,
        1 => JsonValue.Create(true),
        2 => new JsonArray(1, "x"),
        3 => new JsonObject { ["x"] = 1 },
        4 => JsonValue.Create(random.Next()),
        _ => JsonValue.Create(s_texts[random.Next(s_texts.Length)]),
    };

    private string Text(JsonNode? schema, string name)
    {
        schema = Resolve(schema);
        if (schema?["enum"] is JsonArray values && random.Next(5) > 0)
        {
            return values[random.Next(values.Count)]?.ToString() ?? "";
        }

        if (name == "cursor" && random.Next(2) == 0)
        {
            return known.FindCursor() is { } cursor && random.Next(2) == 0 ? cursor : s_cursors[random.Next(s_cursors.Length)];
        }

        return ((string?)schema?["format"], random.Next(5)) switch
        {
            (_, 0) => s_texts[random.Next(s_texts.Length)],
            ("uuid", _) => Known(name),
            _ when name is "ids" or "productIds" => string.Join(',', Enumerable.Range(0, random.Next(1, 4)).Select(_ => known.FindId("products"))),
            _ when name is "currency" => random.Next(8) == 0 ? s_currencies[random.Next(s_currencies.Length)] : "EUR",
            _ when name is "country" => "DE",
            _ when name is "email" => $"fuzz-{random.Next(1_000_000)}@example.com",
            ("date-time", _) => DateTimeOffset.UnixEpoch.AddSeconds(random.NextInt64(0, 253_402_300_799)).ToString("O", CultureInfo.InvariantCulture),
            ("int32" or "int64", _) => random.Next(-1, 120).ToString(CultureInfo.InvariantCulture),
            _ => random.Next(2) == 0 ? s_texts[random.Next(s_texts.Length)] : $"fuzz-{random.Next(1000)}",
        };
    }

    private string Header(string name, string url) => (name, random.Next(4)) switch
    {
        // The client refuses to send other characters. Those above ASCII are sent as their Latin-1 byte.
        (_, 0) => string.Concat(s_texts[random.Next(s_texts.Length)].Where(c => c is (>= ' ' and <= '~') or (>= '\u00A0' and <= '\u00FF'))),
        ("If-Match" or "If-None-Match", 1) => $"\"{random.Next(0, 4)}\"",
        ("If-Match" or "If-None-Match", _) => known.FindETag(url) ?? "\"1\"",
        ("Prefer", _) => s_preferences[random.Next(s_preferences.Length)],
        _ => $"fuzz-{random.Next(10_000)}",
    };

    private string Id(JsonNode parameter) => (string?)Resolve(parameter["schema"])?["format"] == "uuid"
        ? random.Next(4) == 0 ? Guid.CreateVersion7().ToString() : known.FindId("")
        // A text in the path must not look like another route: slashes and dots would be resolved before they are sent.
        : random.Next(2) == 0 ? "default" : $"fuzz-{random.Next(100)}";

    /// <summary>For a member like <c>productId</c>, usually an id of a product.</summary>
    private string Known(string name) => known.FindId(name.EndsWith("Id", StringComparison.Ordinal) ? name[..^2] + "s" : name);

    private JsonNode? Resolve(JsonNode? schema)
    {
        while (true)
        {
            if ((string?)schema?["$ref"] is { } reference)
            {
                schema = reference.TrimStart('#', '/').Split('/').Aggregate((JsonNode?)document, (node, part) => node?[part]);
            }
            else if (schema?["oneOf"] is JsonArray { Count: > 0 } choices)
            {
                schema = choices[random.Next(choices.Count)];
                if ((string?)(schema?["type"] as JsonValue) == "null")
                {
                    return schema;
                }
            }
            else
            {
                return schema;
            }
        }
    }
}

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Contracts.Products;

namespace OrderInventory.Contracts.Tests;

/// <summary>
/// docs/events has the JSON schema of each event as it was published. Members may be added, nothing else: whatever a consumer may rely
/// on stays. After an addition, UPDATE_SNAPSHOTS=1 dotnet test tests/Contracts.Tests writes the files; it refuses a breaking change too.
/// </summary>
public class PublishedSchemasTests
{
    private static readonly string s_folder = Path.Combine(Root(), "docs", "events");

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> Types => [.. s_events.Keys];

    private static readonly Dictionary<string, JsonTypeInfo> s_events = new()
    {
        [OrderCreated.Type] = EventsJson.Default.OrderCreated,
        [OrderUpdated.Type] = EventsJson.Default.OrderUpdated,
        [ReservationDecided.Type] = EventsJson.Default.ReservationDecided,
        [InventoryUpdated.Type] = EventsJson.Default.InventoryUpdated,
        [ProductUpdated.Type] = EventsJson.Default.ProductUpdated,
        [CustomerUpdated.Type] = EventsJson.Default.CustomerUpdated,
        [StockCheckRequested.Type] = EventsJson.Default.StockCheckRequested,
        [StockCheckReplied.Type] = EventsJson.Default.StockCheckReplied,
    };

    [Theory]
    [MemberData(nameof(Types))]
    public void Nothing_that_was_published_is_removed_or_changed(string type)
    {
        var file = Path.Combine(s_folder, $"{type}.schema.json");
        var now = Export(type);
        if (File.Exists(file))
        {
            Assert.Empty(Breaks(JsonNode.Parse(File.ReadAllText(file))!, now, "$"));
        }

        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1")
        {
            File.WriteAllText(file, now.ToJsonString(s_indented) + "\n");
        }

        Assert.Equal(File.ReadAllText(file).Trim(), now.ToJsonString(s_indented));
    }

    [Fact]
    public void Every_event_of_the_asyncapi_document_has_its_schema_and_the_other_way_round()
    {
        var document = File.ReadAllText(Path.Combine(Root(), "docs", "asyncapi.yaml"));
        Assert.All(s_events.Keys, type => Assert.Contains($"$ref: ./events/{type}.schema.json", document, StringComparison.Ordinal));
        Assert.Equal(s_events.Keys.Order(), Directory.GetFiles(s_folder, "*.schema.json").Select(f => Path.GetFileName(f)[..^".schema.json".Length]).Order());
    }

    [Fact]
    public void The_asyncapi_document_names_the_readers_of_each_topic()
    {
        var document = File.ReadAllText(Path.Combine(Root(), "docs", "asyncapi.yaml"));
        var topics = new Dictionary<string, string>
        {
            [nameof(OrderCreated)] = OrderCreated.Topic,
            [nameof(OrderUpdated)] = OrderUpdated.Topic,
            [nameof(ReservationDecided)] = ReservationDecided.Topic,
            [nameof(InventoryUpdated)] = InventoryUpdated.Topic,
            [nameof(ProductUpdated)] = ProductUpdated.Topic,
            [nameof(CustomerUpdated)] = CustomerUpdated.Topic,
        };
        var readers = Directory.GetDirectories(Path.Combine(Root(), "services"))
            .SelectMany(service => Regex.Matches(File.ReadAllText(Path.Combine(service, "Program.cs")), @"\.Consumes<(\w+),")
                .Select(consumed => (Topic: topics[consumed.Groups[1].Value], Service: Path.GetFileName(service))))
            .ToLookup(reader => reader.Topic, reader => reader.Service);
        Assert.All(topics.Values, topic =>
        {
            var channel = Regex.Match(document, $@"address: {Regex.Escape(topic)}\n\s+description:(.*?)\n\s+messages:", RegexOptions.Singleline).Groups[1].Value;
            var named = Regex.Replace(Regex.Match(channel, @"Read by ([^.]*)\.").Groups[1].Value, @"\([^)]*\)", "");
            Assert.Equal(readers[topic].Order(), named.Split(["and", ","], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Order());
        });
    }

    [Fact]
    public void A_breaking_change_is_found()
    {
        var published = JsonNode.Parse("""{"type":"object","properties":{"a":{"type":"string"},"b":{"type":["string","null"]},"c":{"enum":["x","y"]} },"required":["a"]}""")!;
        Assert.Empty(Breaks(published, published, "$"));
        Assert.Empty(Breaks(published, With(p => p["properties"]!["new"] = new JsonObject { ["type"] = "string" }), "$"));
        Assert.Single(Breaks(published, With(p => p["properties"]!.AsObject().Remove("a")), "$"));
        Assert.Single(Breaks(published, With(p => p["properties"]!["a"]!["type"] = "integer"), "$"));
        Assert.Single(Breaks(published, With(p => p["properties"]!["a"]!["type"] = new JsonArray("string", "null")), "$"));
        Assert.Single(Breaks(published, With(p => p["required"] = new JsonArray()), "$"));
        Assert.Single(Breaks(published, With(p => p["required"] = new JsonArray("a", "new")), "$"));
        Assert.Single(Breaks(published, With(p => p["required"] = new JsonArray("a", "b")), "$"));
        Assert.Single(Breaks(published, With(p => p["properties"]!["c"]!["enum"] = new JsonArray("x")), "$"));

        JsonNode With(Action<JsonNode> change)
        {
            var changed = published.DeepClone();
            change(changed);
            return changed;
        }
    }

    /// <summary>What a consumer of the published schema could no longer rely on.</summary>
    private static IEnumerable<string> Breaks(JsonNode published, JsonNode now, string path)
    {
        var (before, after) = (TypesOf(published), TypesOf(now));
        if (!after.IsSubsetOf(before) || (before.Count > 0 && after.Count == 0))
        {
            yield return $"{path}: was {string.Join('|', before)}, is {string.Join('|', after)}";
        }

        foreach (var value in published["enum"]?.AsArray().Select(v => v?.ToJsonString()) ?? [])
        {
            if (now["enum"]?.AsArray().Any(v => v?.ToJsonString() == value) != true)
            {
                yield return $"{path}: the value {value} was removed";
            }
        }

        var required = (now["required"]?.AsArray() ?? []).Select(r => (string)r!).ToHashSet();
        foreach (var name in published["required"]?.AsArray().Select(r => (string)r!) ?? [])
        {
            if (!required.Contains(name) && now["properties"]?[name] is not null)
            {
                yield return $"{path}.{name}: was always there, may be left out";
            }
        }

        foreach (var name in required.Except((published["required"]?.AsArray() ?? []).Select(r => (string)r!)))
        {
            yield return $"{path}.{name}: is required now; what was published before lacks it";
        }

        foreach (var (name, schema) in published["properties"]?.AsObject() ?? [])
        {
            if (now["properties"]?[name] is { } same)
            {
                foreach (var inner in Breaks(schema!, same, $"{path}.{name}"))
                {
                    yield return inner;
                }
            }
            else
            {
                yield return $"{path}.{name}: was removed";
            }
        }

        if (published["items"] is { } item)
        {
            foreach (var inner in now["items"] is { } items ? Breaks(item, items, $"{path}[]") : [$"{path}: is no array any more"])
            {
                yield return inner;
            }
        }
    }

    private static HashSet<string> TypesOf(JsonNode schema) => schema["type"] switch
    {
        null => [],
        JsonArray several => [.. several.Select(t => (string)t!)],
        var one => [(string)one!],
    };

    private static JsonObject Export(string type)
    {
        var schema = s_events[type].GetJsonSchemaAsNode(new()
        {
            TreatNullObliviousAsNonNullable = true,
            TransformSchemaNode = (context, node) =>
            {
                if (node is JsonObject described)
                {
                    var clr = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
                    if (clr == typeof(Guid))
                    {
                        described["format"] = "uuid";
                    }
                }

                return node;
            },
        });
        var document = new JsonObject { ["$schema"] = "http://json-schema.org/draft-07/schema#", ["title"] = type };
        foreach (var (name, value) in schema.AsObject())
        {
            document[name] = value?.DeepClone();
        }

        return document;
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "OrderInventory.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }
}

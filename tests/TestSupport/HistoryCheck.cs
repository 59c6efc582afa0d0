using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace OrderInventory.TestSupport;

/// <summary>
/// Replays the history that the API returns: ledgers and timelines, oldest to newest. Tests that moved stock or orders end with it. It
/// takes any client of the two services, or of the gateway.
/// </summary>
public static class HistoryCheck
{
    /// <summary>Times and ids only grow, no quantity is negative, no more is reserved than is on hand, and the sums equal the level.</summary>
    public static async Task LedgerAsync(HttpClient inventory, Guid product)
    {
        var movements = new List<JsonNode>();
        string? cursor = null;
        do
        {
            var page = (await inventory.GetFromJsonAsync<JsonNode>($"/api/inventory/{product}/movements?limit=100{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}"))!;
            movements.AddRange(page["items"]!.AsArray().Select(item => item!));
            cursor = (string?)page["next"];
        }
        while (cursor is not null);

        movements.Reverse();
        var places = new Dictionary<string, (long OnHand, long Reserved)>();
        JsonNode? last = null;
        foreach (var movement in movements)
        {
            var at = (DateTimeOffset)movement["occurredAt"]!;
            Assert.True(last is null || at > (DateTimeOffset)last["occurredAt"]!, $"Product {product}: {movement.ToJsonString()} is not later than {last?.ToJsonString()}");
            Assert.True(last is null || string.CompareOrdinal((string)movement["id"]!, (string)last["id"]!) > 0, $"Product {product}: the id of {movement.ToJsonString()} is not larger than that of {last?.ToJsonString()}");
            var place = (string)movement["location"]!;
            var (onHand, reserved) = places.GetValueOrDefault(place);
            places[place] = (onHand + (long)movement["onHandDelta"]!, reserved + (long)movement["reservedDelta"]!);
            (onHand, reserved) = places[place];
            Assert.True(0 <= reserved && reserved <= onHand, $"Product {product}: {reserved} of {onHand} are reserved at {place} after {movement.ToJsonString()}");
            last = movement;
        }

        var levels = (await inventory.GetFromJsonAsync<JsonNode>($"/api/inventory?productIds={product}"))!["items"]!.AsArray();
        foreach (var level in levels.SelectMany(level => level!["locations"]!.AsArray()))
        {
            Assert.Equal(places.GetValueOrDefault((string)level!["location"]!), ((long)level["onHand"]!, (long)level["reserved"]!));
        }

        Assert.True(levels.Count == 0 || last is null || (DateTimeOffset)levels[0]!["updatedAt"]! >= (DateTimeOffset)last["occurredAt"]!, $"Product {product}: updatedAt is before the last movement.");
    }

    /// <summary>Times never go back, versions are consecutive up to the order's own, and every cause comes before its effect.</summary>
    public static async Task TimelineAsync(HttpClient orders, Guid order)
    {
        var version = (long)(await orders.GetFromJsonAsync<JsonNode>($"/api/orders/{order}"))!["version"]!;
        var items = (await orders.GetFromJsonAsync<JsonNode>($"/api/orders/{order}/timeline"))!["items"]!.AsArray().Select(item => item!).ToList();
        var text = $"Order {order}:\n{string.Join('\n', items.Select(item => item.ToJsonString()))}";
        Assert.True(items.Zip(items.Skip(1)).All(pair => (DateTimeOffset)pair.First["at"]! <= (DateTimeOffset)pair.Second["at"]!), text);
        var versions = items.Where(item => (string?)item["service"] == "orders").Select(item => (long)item["data"]!["version"]!).ToList();
        Assert.True(versions.SequenceEqual(Enumerable.Range(1, versions.Count).Select(n => (long)n)) && versions.Count >= version, text);
        for (var i = 0; i < items.Count; i++)
        {
            var before = items.Take(i).ToList();
            var (service, data) = ((string?)items[i]["service"], items[i]["data"]!);
            Assert.True(service != "inventory" || before.Exists(item => (long?)item["data"]!["version"] == (long?)data["orderVersion"]), text);
            Assert.True(service != "notifications" || before.Exists(item => (string?)item["eventId"] == (string?)items[i]["eventId"])
                || items.TrueForAll(item => item == items[i] || (string?)item["eventId"] != (string?)items[i]["eventId"] || (string?)item["service"] == "notifications"), text);
            Assert.True(
                service != "orders" || (string?)data["by"] is not "inventory"
                || before.Exists(item => (string?)item["service"] == "inventory" && (long?)item["data"]!["orderVersion"] == (long?)data["version"] - 1), text);
        }
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Contracts.Products;

namespace OrderInventory.Contracts.Tests;

/// <summary>
/// Golden/ holds each event as other teams' programs read it. A change to a file there breaks the contract, unless it only adds a member.
/// </summary>
public class GoldenEventsTests
{
    private static readonly Guid s_order = Guid.Parse("01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0001");
    private static readonly Guid s_customer = Guid.Parse("01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0002");
    private static readonly Guid s_product = Guid.Parse("01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003");
    private static readonly DateTimeOffset s_time = new(2026, 11, 24, 8, 0, 0, 123, TimeSpan.Zero);
    private static readonly OrderLine s_line = new(s_product, "TEA-001", "Chai", 3, new(18.00m, "EUR"));
    private static readonly Shortage s_shortage = new(s_product, 3, 1);

    /// <summary>By the name of the file, which is the type, or the type and a variant of it.</summary>
    public static TheoryData<string, object> Events => new()
    {
        { OrderCreated.Type, new OrderCreated(s_order, 1, s_customer, OrderStatus.Pending, null, [s_line], new(54.00m, "EUR"), s_time) },
        {
            OrderUpdated.Type, new OrderUpdated(
                s_order, 4, s_customer, OrderStatus.CancelPending, OrderStatus.Confirmed, null, [s_line], new(54.00m, "EUR"), "customer changed their mind",
                new(RevisionStatus.Rejected, [s_line with { Quantity = 9 }], new(Rejection.InsufficientStock, [s_shortage])),
                new(Rejection.InsufficientStock, [s_shortage]), s_time, s_time.AddMinutes(1))
        },
        {
            OrderUpdated.Type + ".return", new OrderUpdated(
                s_order, 6, s_customer, OrderStatus.Shipped, OrderStatus.Shipped, null, [s_line], new(54.00m, "EUR"), "broken on the way", null, null, s_time,
                s_time.AddDays(3), new([new(s_product, 2)], false))
        },
        { ReservationDecided.Type, new ReservationDecided(s_order, 1, ReservationOutcome.RevisionRejected, [s_shortage], s_time) },
        { InventoryUpdated.Type, new InventoryUpdated(s_product, 17, 39, 4, 35, 10, LowStockCrossing.Entered, s_time) },
        { ProductUpdated.Type, new ProductUpdated(s_product, 3, "TEA-001", "Chai", new(18.00m, "EUR"), ProductStatus.Active) },
        { StockCheckRequested.Type, new StockCheckRequested([new(s_product, 3)], s_order, null) },
        { StockCheckReplied.Type, new StockCheckReplied(false, [new(s_product, 3, 1, false)]) },
        { CustomerUpdated.Type, new CustomerUpdated(s_customer, 2, CustomerStatus.Active, "de", new(true, false, false)) },
    };

    [Theory]
    [MemberData(nameof(Events))]
    public void Is_written_like_the_golden_file(string file, object data)
    {
        var written = JsonSerializer.Serialize(data, TypeInfo(data.GetType()));
        Assert.Equal(Indented(Golden(file)), Indented(written));
    }

    [Theory]
    [MemberData(nameof(Events))]
    public void Is_read_back_completely(string file, object data)
    {
        var read = JsonSerializer.Deserialize(Golden(file), TypeInfo(data.GetType()));
        Assert.Equal(JsonSerializer.Serialize(data, TypeInfo(data.GetType())), JsonSerializer.Serialize(read, TypeInfo(data.GetType())));
    }

    [Theory]
    [MemberData(nameof(Events))]
    public void Members_that_a_publisher_adds_later_are_ignored(string file, object data)
    {
        var json = JsonNode.Parse(Golden(file))!.AsObject();
        json["addedLater"] = new JsonObject { ["x"] = 1 };
        Assert.NotNull(json.Deserialize(TypeInfo(data.GetType())));
    }

    [Theory]
    [MemberData(nameof(Events))]
    public void A_missing_member_is_an_error_and_not_a_default(string file, object data)
    {
        var optional = TypeInfo(data.GetType()).Properties.Where(p => p.AssociatedParameter?.HasDefaultValue == true).Select(p => p.Name).ToHashSet();
        foreach (var member in JsonNode.Parse(Golden(file))!.AsObject().Select(m => m.Key).Where(m => !optional.Contains(m)).ToList())
        {
            var json = JsonNode.Parse(Golden(file))!.AsObject();
            json.Remove(member);
            Assert.Throws<JsonException>(() => json.Deserialize(TypeInfo(data.GetType())));
        }
    }

    [Fact]
    public void An_enum_is_never_a_number()
    {
        var json = JsonNode.Parse(Golden(OrderCreated.Type))!.AsObject();
        json["status"] = 0;
        Assert.Throws<JsonException>(() => json.Deserialize(EventsJson.Default.OrderCreated));
    }

    [Theory]
    [InlineData("1.5")]
    [InlineData("\"3\"")]
    [InlineData("99999999999")]
    public void A_quantity_is_a_whole_number_within_its_range(string quantity)
    {
        var json = Golden(OrderCreated.Type).Replace("\"quantity\": 3", "\"quantity\": " + quantity, StringComparison.Ordinal);
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(json, EventsJson.Default.OrderCreated));
    }

    [Fact]
    public void No_event_has_a_member_for_personal_data()
    {
        string[] personal = ["email", "phone", "address", "shipTo", "customerName"];
        foreach (var file in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Golden")))
        {
            // customer.updated has a flag for the e-mail channel.
            var members = Names(JsonNode.Parse(File.ReadAllText(file))!).Where(name => !name.EndsWith("channels.email", StringComparison.Ordinal));
            Assert.DoesNotContain(members, name => personal.Contains(name.Split('.')[^1]));
        }
    }

    private static IEnumerable<string> Names(JsonNode node, string path = "") => node switch
    {
        JsonObject json => json.SelectMany(member => member.Value is null
            ? [$"{path}.{member.Key}"]
            : Names(member.Value, $"{path}.{member.Key}").Prepend($"{path}.{member.Key}")),
        JsonArray array => array.SelectMany(item => Names(item!, path)),
        _ => [],
    };

    private static string Golden(string file) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", file + ".json"));

    private static JsonTypeInfo TypeInfo(Type type) => EventsJson.Default.GetTypeInfo(type)!;

    private static string Indented(string json) => JsonNode.Parse(json)!.ToJsonString(new() { WriteIndented = true });
}

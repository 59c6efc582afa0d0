using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>What an operator types to find an order, and the numbers on a page.</summary>
[Collection(OrdersCollection.Name)]
public sealed class SearchOrdersTests(SharedOrders shared) : NoOrdersTests(shared), IClassFixture<SharedOrders>
{
    private readonly OrdersApp _app = shared.App;
    private readonly HttpClient _http = shared.App.CreateClient();

    [Fact]
    public async Task A_text_finds_orders_by_id_customer_sku_and_tracking_number()
    {
        var (maria, ana) = (_app.Neighbours.AddCustomer("Maria Anders"), _app.Neighbours.AddCustomer("Ana Trujillo"));
        var (tea, cake) = (_app.Neighbours.AddProduct(), _app.Neighbours.AddProduct());
        await _app.PublishProductAsync(tea, 2, "active");
        var first = await PlaceAsync(maria, tea, "2026-01-01", tracking: "JD-0001");
        var second = await PlaceAsync(ana, cake, "2026-02-01", tracking: "jd-0002");
        var third = await PlaceAsync(ana, tea, "2026-03-01", tracking: null);

        await ExpectAsync(first.ToString()[..8], first);
        await ExpectAsync(second.ToString("N")[..13].ToUpperInvariant(), second);
        await ExpectAsync(third.ToString(), third);
        await ExpectAsync("maria and", first);
        await ExpectAsync("Trujillo", third, second);
        await ExpectAsync("tea-" + tea.ToString()[..20], third, first);
        await ExpectAsync("TEA-" + tea, third, first);
        await ExpectAsync("jd-0001", first);
        await ExpectAsync("JD-0002", second);
        await ExpectAsync("JD-000");
        await ExpectAsync("100%");
        await ExpectAsync("");
        // Combined with the other filters, oldest first, and page by page.
        await ExpectAsync("Trujillo&status=pending", third, second);
        await ExpectAsync("Trujillo&status=confirmed,cancelled");
        await ExpectAsync($"Trujillo&productId={cake}", second);
        await ExpectAsync("Trujillo&placedFrom=2026-02-15T00:00:00Z", third);
        await ExpectAsync("Trujillo&sort=placedAt", second, third);
        var page = (await _http.GetFromJsonAsync<JsonNode>("/api/orders?q=Trujillo&limit=1"))!;
        var next = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders?q=Trujillo&limit=1&cursor={page["next"]}"))!;
        Assert.Equal((third, second), ((Guid)page["items"]![0]!["id"]!, (Guid)next["items"]![0]!["id"]!));
        Assert.Null(next["next"]);

        async Task ExpectAsync(string query, params Guid[] expected)
        {
            var answer = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders?q={query.Replace("%", "%25", StringComparison.Ordinal)}"))!;
            Assert.Null(answer["missing"]);
            Assert.Equal(query.Length == 0 ? [third, second, first] : expected, answer["items"]!.AsArray().Select(o => (Guid)o!["id"]!));
        }
    }

    [Theory]
    [InlineData("inventory-manager", false)]
    [InlineData("support", true)]
    [InlineData("admin", true)]
    public async Task Only_roles_that_may_list_customers_find_orders_by_what_customers_have(string role, bool finds)
    {
        var (customer, product) = (_app.Neighbours.AddCustomer("maria@example.com"), _app.Neighbours.AddProduct());
        var order = await PlaceAsync(customer, product, "2026-01-01", tracking: "JD-0001");
        await _app.PublishProductAsync(product, 2, "active");
        using var http = _app.CreateClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", TestAuthority.Shared.Token("wim@example.com", [role]));
        var asked = _app.Neighbours.CustomerRequests;

        Assert.Equal(finds ? 1 : 0, await CountAsync($"limit=1&customerId={customer}&q=maria@ex"));
        Assert.Equal(finds ? 1 : 0, _app.Neighbours.CustomerRequests - asked);
        foreach (var text in new[] { order.ToString()[..8], "jd-0001", "tea-" + product })
        {
            Assert.Equal(1, await CountAsync($"q={text}"));
        }

        // Nor does the answer say whether Customers answers.
        _app.Neighbours.CustomersIsDown = true;
        Assert.Equal(finds, (await http.GetFromJsonAsync<JsonNode>("/api/orders?q=jd-0001"))!["missing"] is not null);

        async Task<int> CountAsync(string query) => (await http.GetFromJsonAsync<JsonNode>($"/api/orders?{query}"))!["items"]!.AsArray().Count;
    }

    [Fact]
    public async Task While_Customers_is_down_the_search_names_it_and_finds_the_rest()
    {
        var order = await PlaceAsync(_app.Neighbours.AddCustomer("Maria"), _app.Neighbours.AddProduct(), "2026-01-01", tracking: "42-A");
        _app.Neighbours.CustomersIsDown = true;
        var answer = (await _http.GetFromJsonAsync<JsonNode>("/api/orders?q=42-a"))!;
        Assert.Equal(order, (Guid)answer["items"]!.AsArray().Single()!["id"]!);
        Assert.Equal("""["customers"]""", answer["missing"]!.ToJsonString());
    }

    [Fact]
    public async Task Orders_of_a_location_are_those_that_Inventory_names()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        var orders = new List<Guid>();
        for (var day = 1; day <= 4; day++)
        {
            orders.Add(await PlaceAsync(customer, product, $"2026-01-0{day}", null));
        }

        _app.Neighbours.OrdersAt["berlin"] = [orders[0], orders[2], orders[3]];
        Assert.Equal([orders[3], orders[2], orders[0]], await FindAsync("location=berlin"));
        Assert.Equal([orders[0], orders[2], orders[3]], await FindAsync("location=berlin&sort=placedAt"));
        Assert.Equal([orders[2], orders[0]], await FindAsync("location=berlin&placedTo=2026-01-04T00:00:00Z"));
        Assert.Empty(await FindAsync("location=atlantis"));
        _app.Neighbours.InventoryIsDown = true;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _http.GetAsync("/api/orders?location=berlin")).StatusCode);

        // Finds every order once, however small the pages are.
        async Task<List<Guid>> FindAsync(string query)
        {
            var found = new List<Guid>();
            string? cursor = null;
            for (var pages = 0; pages < 10; pages++)
            {
                var page = (await _http.GetFromJsonAsync<JsonNode>($"/api/orders?limit=2&{query}{(cursor is null ? "" : $"&cursor={cursor}")}"))!;
                found.AddRange(page["items"]!.AsArray().Select(o => (Guid)o!["id"]!));
                cursor = (string?)page["next"];
                if (cursor is null)
                {
                    return found;
                }
            }

            throw new InvalidOperationException("The list does not end.");
        }
    }

    [Theory]
    [InlineData("sort=total", "sort")]
    [InlineData("status=confirmed,lost", "status")]
    [InlineData("status=", "status")]
    [InlineData("q=a%0Ab", "q")]
    public async Task Invalid_parameters_are_400_and_named(string query, string path)
    {
        var response = await _http.GetAsync($"/api/orders?{query}");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(path, (await OrdersApp.BodyAsync(response))["errors"]!.AsObject().Single().Key);
    }

    [Fact]
    public async Task Counts_have_a_number_for_each_state_and_keep_to_the_time()
    {
        var (customer, product) = (_app.Neighbours.AddCustomer(), _app.Neighbours.AddProduct());
        await PlaceAsync(customer, product, "2026-01-01", null);
        await PlaceAsync(customer, product, "2026-01-02", null, "confirmed");
        await PlaceAsync(customer, product, "2026-01-03", null, "confirmed");
        var all = (await _http.GetFromJsonAsync<JsonNode>("/api/orders/counts"))!;
        Assert.Equal((1, 2, 0, 3, true), ((int)all["counts"]!["pending"]!, (int)all["counts"]!["confirmed"]!, (int)all["counts"]!["revisionPending"]!, (int)all["total"]!, (bool)all["isComplete"]!));
        var some = (await _http.GetFromJsonAsync<JsonNode>("/api/orders/counts?placedFrom=2026-01-02T00:00:00Z&placedTo=2026-01-03T00:00:00Z"))!;
        Assert.Equal((0, 1, 1), ((int)some["counts"]!["pending"]!, (int)some["counts"]!["confirmed"]!, (int)some["total"]!));
    }

    [Fact]
    public async Task Statistics_have_the_outcomes_of_each_span_and_their_revenue_by_currency()
    {
        var customer = _app.Neighbours.AddCustomer();
        var (euro, dollar) = (_app.Neighbours.AddProduct(10.50m), _app.Neighbours.AddProduct(7m, "USD"));
        await PlaceAsync(customer, euro, "2026-01-05T09:10:00Z", null, "confirmed");
        await PlaceAsync(customer, euro, "2026-01-05T09:59:59Z", null, "delivered");
        await PlaceAsync(customer, dollar, "2026-01-05T09:30:00Z", null, "shipped");
        await PlaceAsync(customer, euro, "2026-01-05T10:00:00Z", null, "rejected");
        await PlaceAsync(customer, euro, "2026-01-05T11:00:00Z", null, "cancelled");
        var hours = await StatisticsAsync("by=hour&from=2026-01-05T09:20:00Z&to=2026-01-05T11:01:00Z");
        Assert.Equal(
            ["09:00 3 3 0 0 [{\"amount\":21.00,\"currency\":\"EUR\"},{\"amount\":7,\"currency\":\"USD\"}]", "10:00 1 0 1 0 []", "11:00 1 0 0 1 []"],
            hours.Select(h => $"{(DateTimeOffset)h!["from"]!:HH:mm} {h["placed"]} {h["confirmed"]} {h["rejected"]} {h["cancelled"]} {Amounts(h["revenue"]!)}"));
        Assert.Equal([0, 5, 0], (await StatisticsAsync("by=day&from=2026-01-04T00:00:00Z&to=2026-01-07T00:00:00Z")).Select(d => (int)d!["placed"]!));
        // Monday 2026-01-05 begins a week, also when the queried period begins on the Sunday before.
        Assert.Equal(["2025-12-29 0", "2026-01-05 5"], (await StatisticsAsync("by=week&from=2026-01-04T12:00:00Z&to=2026-01-05T12:00:00Z"))
            .Select(w => $"{(DateTimeOffset)w!["from"]!:yyyy-MM-dd} {w["placed"]}"));
        // The same instants in another calendar: in Kiritimati, 14 hours ahead, the day changes at 10:00 UTC.
        Assert.Equal([3, 2], (await StatisticsAsync("by=day&zone=Pacific/Kiritimati&from=2026-01-05T00:00:00Z&to=2026-01-05T12:00:00Z")).Select(d => (int)d!["placed"]!));

        static string Amounts(JsonNode revenue) => revenue.ToJsonString().Replace("7.00", "7", StringComparison.Ordinal);
    }

    [Theory]
    // Berlin: a day of 23 hours in March, one of 25 in October, with the hour from two to three twice.
    [InlineData("by=day&zone=Europe/Berlin&from=2026-03-29T12:00:00Z&to=2026-03-29T13:00:00Z", "2026-03-28T23:00/2026-03-29T22:00")]
    [InlineData("by=day&zone=Europe/Berlin&from=2026-10-25T12:00:00Z&to=2026-10-25T13:00:00Z", "2026-10-24T22:00/2026-10-25T23:00")]
    [InlineData("by=hour&zone=Europe/Berlin&from=2026-10-25T00:10:00Z&to=2026-10-25T01:50:00Z", "2026-10-25T00:00/2026-10-25T01:00 2026-10-25T01:00/2026-10-25T02:00")]
    // Lord Howe Island's clocks change by half an hour.
    [InlineData("by=hour&zone=Australia/Lord_Howe&from=2026-10-03T15:00:00Z&to=2026-10-03T16:30:00Z", "2026-10-03T14:30/2026-10-03T15:30 2026-10-03T15:30/2026-10-03T16:00 2026-10-03T16:00/2026-10-03T17:00")]
    // In Beirut the clocks go forward at midnight: 2026-03-29 begins at one o'clock.
    [InlineData("by=day&zone=Asia/Beirut&from=2026-03-28T22:30:00Z&to=2026-03-28T23:00:00Z", "2026-03-28T22:00/2026-03-29T21:00")]
    // So they did in Asunción: 2024-10-06 began at one o'clock, 04:00 UTC.
    [InlineData("by=day&zone=America/Asuncion&from=2024-10-05T12:00:00Z&to=2024-10-06T12:00:00Z", "2024-10-05T04:00/2024-10-06T04:00 2024-10-06T04:00/2024-10-07T03:00")]
    // Calendars that skip a day to change the side of the date line.
    [InlineData("by=day&zone=Pacific/Apia&from=2011-12-29T12:00:00Z&to=2011-12-31T12:00:00Z", "2011-12-29T10:00/2011-12-30T10:00 2011-12-30T10:00/2011-12-31T10:00 2011-12-31T10:00/2012-01-01T10:00")]
    [InlineData("by=day&zone=Pacific/Fakaofo&from=2011-12-29T12:00:00Z&to=2011-12-30T12:00:00Z", "2011-12-29T11:00/2011-12-30T11:00 2011-12-30T11:00/2011-12-31T11:00")]
    [InlineData("by=day&zone=Pacific/Kwajalein&from=1993-08-20T13:00:00Z&to=1993-08-21T13:00:00Z", "1993-08-20T12:00/1993-08-21T12:00 1993-08-21T12:00/1993-08-22T12:00")]
    [InlineData("by=day&zone=Pacific/Kiritimati&from=1994-12-30T12:00:00Z&to=1994-12-31T12:00:00Z", "1994-12-30T10:00/1994-12-31T10:00 1994-12-31T10:00/1995-01-01T10:00")]
    [InlineData("by=week&zone=Pacific/Apia&from=2011-12-31T12:00:00Z&to=2012-01-02T12:00:00Z", "2011-12-26T10:00/2012-01-01T10:00 2012-01-01T10:00/2012-01-08T10:00")]
    [InlineData("by=week&zone=Asia/Kolkata&from=2026-11-24T00:00:00Z&to=2026-11-24T01:00:00Z", "2026-11-22T18:30/2026-11-29T18:30")]
    public async Task Spans_follow_the_clock_and_calendar_of_the_time_zone(string query, string expected)
    {
        var spans = await StatisticsAsync(query);
        Assert.Equal(expected, string.Join(' ', spans.Select(s => string.Create(
            CultureInfo.InvariantCulture, $"{((DateTimeOffset)s!["from"]!).UtcDateTime:yyyy-MM-ddTHH:mm}/{((DateTimeOffset)s["to"]!).UtcDateTime:yyyy-MM-ddTHH:mm}"))));
    }

    [Theory]
    [InlineData(1968)]
    [InlineData(1993)]
    [InlineData(2010)]
    [InlineData(2024)]
    public void In_every_zone_each_day_begins_when_the_calendar_turns_to_it(int year)
    {
        var from = new DateTimeOffset(year, 1, 1, 0, 0, 0, TimeSpan.Zero);
        foreach (var zone in TimeZoneInfo.GetSystemTimeZones())
        {
            Assert.Null(TimeBuckets.Read(from, from.AddDays(900), BucketSize.Day, zone.Id, from, out var days));
            for (var i = 1; i < days.Bounds.Count; i++)
            {
                var (previous, begin) = (days.Bounds[i - 1], days.Bounds[i]);
                Assert.True(
                    begin > previous && DateAt(begin, zone) > DateAt(begin.AddTicks(-1), zone) && DateAt(begin, zone) > DateAt(previous, zone),
                    string.Create(CultureInfo.InvariantCulture, $"{zone.Id}: {previous:u} to {begin:u}"));
            }
        }

        static DateTime DateAt(DateTimeOffset time, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(time, zone).Date;
    }

    [Theory]
    [InlineData("zone=Mars/Olympus", "zone")]
    [InlineData("zone=right/Europe/Berlin", "zone")]
    [InlineData("zone=localtime", "zone")]
    [InlineData("zone=utc", "zone")]
    [InlineData("zone=", "zone")]
    [InlineData("zone=W.%20Europe%20Standard%20Time", "zone")]
    [InlineData("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from")]
    [InlineData("by=hour&from=2026-01-01T00:00:00Z&to=2026-06-01T00:00:00Z", "from")]
    [InlineData("from=0001-01-01T00:00:00Z", "from")]
    [InlineData("to=0001-01-01T00:00:00Z", "to")]
    [InlineData("to=9999-12-31T23:59:59Z", "to")]
    [InlineData("by=month", "by")]
    public async Task Invalid_requests_for_statistics_are_400(string query, string path)
    {
        var response = await _http.GetAsync($"/api/orders/statistics?{query}");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(path, (await OrdersApp.BodyAsync(response))["errors"]!.AsObject().Single().Key);
    }

    private async Task<JsonArray> StatisticsAsync(string query) =>
        (await _http.GetFromJsonAsync<JsonNode>($"/api/orders/statistics?{query}"))!["items"]!.AsArray();

    /// <summary>Places an order as if at that time, with an id of that time.</summary>
    private async Task<Guid> PlaceAsync(Guid customer, Guid product, string time, string? tracking, string status = "pending")
    {
        var id = (Guid)(await OrdersApp.BodyAsync(await _app.PlaceAsync(OrdersApp.Body(customer, (product, 1)))))["id"]!;
        var placedAt = DateTimeOffset.Parse(time.Length == 10 ? time + "T00:00:00Z" : time, CultureInfo.InvariantCulture);
        var idOfThen = Guid.CreateVersion7(placedAt);
        await _app.ExecuteAsync(
            """
            WITH o AS (UPDATE orders SET id = $2, placed_at = $3, status = $4, tracking_number = nullif($5, '') WHERE id = $1)
            UPDATE order_lines SET order_id = $2 WHERE order_id = $1
            """,
            id, idOfThen, placedAt, status, tracking ?? "");
        return idOfThen;
    }
}

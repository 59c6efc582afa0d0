using System.Net;
using System.Text.Json.Nodes;
using OrderInventory.Contracts.Orders;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Domain;
using OrderInventory.Notifications.Tests.Support;
using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests;

/// <summary>Managing templates by API, and which template a message uses.</summary>
[Collection(nameof(InfrastructureCollection))]
public sealed class TemplateTests(RecordNotificationsTests.Running running) : IClassFixture<RecordNotificationsTests.Running>
{
    private const string Templates = "/api/notifications/templates";

    private readonly NotificationsApp _app = running.App;

    [Fact]
    public async Task Every_template_is_built_in_for_both_channels_in_both_languages()
    {
        var keys = new List<string>();
        string? cursor = null;
        do
        {
            var page = await (await _app.Http.GetAsync($"{Templates}?limit=7{(cursor is null ? "" : $"&cursor={cursor}")}")).ReadAsync();
            keys.AddRange(page["items"]!.AsArray().Select(i => $"{i!["template"]}/{i["channel"]}/{i["language"]}"));
            cursor = (string?)page["next"];
        }
        while (cursor is not null);

        Assert.Equal(keys.Order(StringComparer.Ordinal), keys);
        foreach (var template in Domain.Templates.All)
        {
            foreach (var path in new[] { "email/en", "email/de", "sms/en", "sms/de" })
            {
                Assert.Contains($"{template}/{path}", keys);
                var preview = await _app.Http.SendAsync(HttpMethod.Post, $"{Templates}/{template}/{path}/preview", "{}");
                Assert.Equal(HttpStatusCode.OK, preview.StatusCode);
                var shown = await preview.ReadAsync();
                Assert.DoesNotContain("{", (string?)shown["subject"] + (string?)shown["body"], StringComparison.Ordinal);
                Assert.Equal(path.StartsWith("email", StringComparison.Ordinal), shown["subject"] is not null);
            }
        }
    }

    [Fact]
    public async Task A_template_is_written_in_versions_and_used()
    {
        const string At = $"{Templates}/orderShipped/email/fr";
        Assert.Equal(HttpStatusCode.NotFound, (await _app.Http.GetAsync(At)).StatusCode);

        var first = await _app.Http.SendAsync(HttpMethod.Put, At, """{"subject":"Commande {{ orderId }}","body":"Bonjour {{ name }}","html":"<p>Bonjour {{ name }}</p>"}""");
        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        Assert.Equal("\"1\"", first.Headers.ETag?.Tag);
        Assert.Equal(428, (int)(await _app.Http.SendAsync(HttpMethod.Put, At, """{"subject":"x","body":"y"}""")).StatusCode);
        var stale = await _app.Http.SendAsync(HttpMethod.Put, At, """{"subject":"x","body":"y"}""", "\"9\"");
        Assert.Equal(412, (int)stale.StatusCode);
        Assert.Equal(1, (int?)(await stale.ReadAsync())["version"]);
        var second = await _app.Http.SendAsync(
            HttpMethod.Put, At, """{"subject":"Commande {{ orderId }}","body":"Cher {{ name }}","html":"<p>Cher {{ name }}</p>"}""", "\"1\"");
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        Assert.Equal(2, (int?)(await (await _app.Http.GetAsync(At)).ReadAsync())["version"]);
        var versions = (await (await _app.Http.GetAsync($"{At}/versions?limit=1")).ReadAsync())!;
        Assert.Equal(2, (int?)versions["items"]!.AsArray().Single()!["version"]);
        versions = await (await _app.Http.GetAsync($"{At}/versions?cursor={versions["next"]}")).ReadAsync();
        Assert.Equal("Bonjour {{ name }}", (string?)versions["items"]!.AsArray().Single()!["body"]);

        // fr-CA falls back to fr.
        var customer = running.Customers.Add("Élodie <b>", language: "fr-CA");
        var order = Events.Updated(customer, OrderStatus.Shipped);
        await _app.PublishAsync(order);
        var item = (await _app.ListAsync($"orderId={order.OrderId}&status=sent")).Single();
        Assert.Equal("fr", (string?)item["templateLanguage"]);
        Assert.Equal(2, (int?)item["templateVersion"]);
        var mail = MimeKit.MimeMessage.Load(Path.Combine(running.Pickup.FullName, $"{item["id"]}.eml"));
        Assert.Equal($"Commande {order.OrderId}", mail.Subject);
        Assert.Equal("Cher Élodie <b>", mail.TextBody?.Trim());
        Assert.Equal("<p>Cher &#xC9;lodie &lt;b&gt;</p>", mail.HtmlBody?.Trim());
    }

    [Theory]
    [InlineData("de-AT", "de", "Bestellung")]
    [InlineData("de", "de", "Bestellung")]
    [InlineData("pt-BR", "en", "Your order")]
    [InlineData("en-GB", "en", "Your order")]
    public async Task The_language_falls_back_to_its_parent_and_then_to_English(string language, string used, string subject)
    {
        var order = Events.Updated(running.Customers.Add(language: language), OrderStatus.Confirmed);

        await _app.PublishAsync(order);

        var item = (await _app.ListAsync($"orderId={order.OrderId}&status=sent")).Single();
        Assert.Equal(used, (string?)item["templateLanguage"]);
        Assert.Equal(0, (int?)item["templateVersion"]);
        Assert.Contains(subject, await _app.QueryAsync<string>("SELECT subject FROM notifications WHERE id = $1", Guid.Parse((string)item["id"]!)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_template_that_fails_when_it_is_sent_is_replaced_by_the_built_in_one()
    {
        // Valid with the sample, too long with fifty long names.
        const string At = $"{Templates}/orderDelivered/email/nl";
        const string Body = "{% for a in lines %}{% for b in lines %}{% for c in lines %}{{ c.name }}{% endfor %}{% endfor %}{% endfor %}";
        (await _app.Http.SendAsync(HttpMethod.Put, At, $$"""{"subject":"x","body":"{{Body}}"}""")).EnsureSuccessStatusCode();
        var lines = Enumerable.Range(0, 50).Select(i => Events.Chai with { ProductId = Guid.CreateVersion7(), Name = new string('x', 200) }).ToList();
        var order = Events.Updated(running.Customers.Add(language: "nl"), OrderStatus.Delivered) with { Lines = lines };

        await _app.PublishAsync(order);

        var item = (await _app.ListAsync($"orderId={order.OrderId}&status=sent")).Single();
        Assert.Equal("en", (string?)item["templateLanguage"]);
        Assert.Equal(0, (int?)item["templateVersion"]);
    }

    [Theory]
    [InlineData("Hello\\n{{ name | upcase", 2, 17)]
    [InlineData("{% if name %}\\n\\nx", 3, 2)]
    [InlineData("a\\nb {{ customerName }}", 2, 6)]
    [InlineData("a\\n{{ name | append: name }}", 2, 11)]
    [InlineData("{% for i in (1..2000000000) %}x{% endfor %}", 1, 13)]
    [InlineData("x {% capture y %}{% endcapture %}", 1, null)]
    [InlineData("x {% include 'y' %}", 1, null)]
    [InlineData("{% raw %}{{ ' {% endraw %}", 1, null)]
    [InlineData("{% assign a = 1 | divided_by: 0 %}{% for x in lines %}{{ x.color }}{% endfor %}", 1, 1)]
    public async Task A_broken_template_is_refused_with_its_position(string body, int line, int? column)
    {
        foreach (var (method, path) in new[] { (HttpMethod.Put, ""), (HttpMethod.Post, "/preview") })
        {
            var response = await _app.Http.SendAsync(method, $"{Templates}/orderRejected/email/it{path}", $$"""{"subject":"x","body":"{{body}}"}""");

            Assert.True(response.StatusCode == HttpStatusCode.UnprocessableEntity, await response.Content.ReadAsStringAsync());
            var problem = await response.ReadAsync();
            Assert.Equal("/problems/template-invalid", (string?)problem["type"]);
            Assert.Equal(line, (int?)problem["line"]);
            Assert.True(column is null || column == (int?)problem["column"], problem.ToString());
            Assert.NotNull(problem["errors"]!["$.body"]);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await _app.Http.GetAsync($"{Templates}/orderRejected/email/it")).StatusCode);
    }

    [Fact]
    public void A_template_can_neither_overflow_the_stack_nor_run_forever()
    {
        foreach (var hostile in new[]
        {
            "{{ a" + string.Concat(Enumerable.Repeat("[a", 10_000)),
            "{{ a" + string.Concat(Enumerable.Repeat("|upcase", 4_000)) + " }}",
            string.Concat(Enumerable.Repeat("{% if name %}", 2_500)),
            "{% if " + string.Concat(Enumerable.Repeat("name and ", 3_000)) + "name %}{% endif %}",
            "{{ \"" + string.Concat(Enumerable.Repeat("a", 600)),
        })
        {
            Assert.Null(TemplateEngine.Parse(hostile, out var problem));
            Assert.NotNull(problem);
        }

        var lines = new Dictionary<string, object?> { ["lines"] = Enumerable.Range(0, 50).ToArray() };
        var endless = TemplateEngine.Parse(string.Concat(Enumerable.Repeat("{% for a in lines %}", 5)) + " " + string.Concat(Enumerable.Repeat("{% endfor %}", 5)), out _)!;
        Assert.Throws<TemplateFailedException>(() => TemplateEngine.Render(endless, lines, html: false, 1_000_000));
        var large = TemplateEngine.Parse("{% for a in lines %}" + new string('x', 1000) + "{% endfor %}", out _)!;
        Assert.Throws<TemplateFailedException>(() => TemplateEngine.Render(large, lines, html: false, 10_000));
    }

    [Theory]
    [InlineData("PUT", "orderShipped/email/fi", """{"body":"x"}""", 400)]
    [InlineData("PUT", "orderShipped/sms/fi", """{"subject":"x","body":"x"}""", 400)]
    [InlineData("PUT", "orderShipped/sms/fi", """{"body":""}""", 400)]
    [InlineData("PUT", "orderShipped/email/fi", """{"subject":"x"}""", 400)]
    [InlineData("PUT", "orderShipped/email/not_a_language", """{"subject":"x","body":"x"}""", 400)]
    [InlineData("PUT", "orderShipped/webhook/fi", """{"body":"x"}""", 404)]
    [InlineData("PUT", "orderExploded/email/fi", """{"subject":"x","body":"x"}""", 404)]
    [InlineData("POST", "orderShipped/email/fi/preview", "{}", 404)]
    [InlineData("POST", "orderShipped/email/en/preview", """{"data":{"color":"red"}}""", 400)]
    [InlineData("POST", "orderShipped/email/en/preview", """{"data":{"lines":[null]}}""", 400)]
    [InlineData("POST", "orderRejected/email/en/preview", """{"data":{"shortages":[null]}}""", 400)]
    [InlineData("GET", "orderShipped/email/fi/versions?cursor=eA", null, 400)]
    [InlineData("GET", "?cursor=%21", null, 400)]
    [InlineData("GET", "?limit=101", null, 400)]
    public async Task Bad_requests_are_problems(string method, string path, string? body, int status)
    {
        var response = await _app.Http.SendAsync(new(method), path.StartsWith('?') ? Templates + path : $"{Templates}/{path}", body);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_preview_fills_a_draft_with_the_data_given()
    {
        var shown = await (await _app.Http.SendAsync(
            HttpMethod.Post, $"{Templates}/orderShipped/email/en/preview",
            """{"subject":"To {{ name }}","body":"{% for line in lines %}{{ line.quantity }} {{ line.name }};{% endfor %}","html":"<b>{{ name }}</b>","data":{"name":"<Bob>\r\nBcc: x","lines":[{"name":"Tea","quantity":2}]}}""")).ReadAsync();

        Assert.Equal("To <Bob> Bcc: x", (string?)shown["subject"]);
        Assert.Equal("2 Tea;", (string?)shown["body"]);
        Assert.Equal("<b>&lt;Bob&gt; Bcc: x</b>", (string?)shown["html"]);
    }

    [Fact]
    public async Task A_preview_of_a_subject_alone_has_the_current_body()
    {
        const string At = $"{Templates}/orderShipped/email/en/preview";
        var standing = await (await _app.Http.SendAsync(HttpMethod.Post, At, "{}")).ReadAsync();

        var shown = await (await _app.Http.SendAsync(HttpMethod.Post, At, """{"subject":"To {{ name }}","data":{"name":"Bob"}}""")).ReadAsync();
        var body = await (await _app.Http.SendAsync(HttpMethod.Post, At, """{"data":{"name":"Bob"}}""")).ReadAsync();

        Assert.Equal("To Bob", (string?)shown["subject"]);
        Assert.NotEqual((string?)standing["subject"], (string?)shown["subject"]);
        Assert.Equal((string?)body["body"], (string?)shown["body"]);
    }

    [Fact]
    public async Task A_text_message_has_a_template_of_its_own()
    {
        const string At = $"{Templates}/orderShipped/sms/da";
        var made = await _app.Http.SendAsync(HttpMethod.Put, At, """{"body":"Ordre {{ orderId }} er sendt"}""");

        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.Equal(At, made.Headers.Location?.ToString());
        var read = await (await _app.Http.GetAsync(At.Replace("/da", "/DA", StringComparison.Ordinal))).ReadAsync();
        Assert.Equal("sms", (string?)read["channel"]);
        Assert.Null(read["subject"]);
    }
}

using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests.Api;

/// <summary>Rules for every operation of our OpenAPI documents, checked through the gateway, so that no new operation can miss them.</summary>
[Collection(SystemCollection.Name)]
public sealed class ConventionsTests(SystemFixture system)
{
    private static readonly string[] s_methods = ["get", "put", "post", "patch", "delete"];

    [Theory]
    [MemberData(nameof(ApiDocumentsTests.Services), MemberType = typeof(ApiDocumentsTests))]
    public async Task Every_read_has_head_and_every_path_options(string service)
    {
        foreach (var (path, methods) in (await OperationsAsync(service)).GroupBy(o => o.Url).Select(g => (g.Key, g.Select(o => o.Method).ToList())))
        {
            var options = await SendAsync("OPTIONS", path);
            Assert.Equal((path, 204), (path, options.Status));
            Assert.All(methods, method => Assert.Contains(method, options.Header("Allow").Split(", ")));
            var wrong = await SendAsync("TRACE", path);
            Assert.Equal((path, 405, options.Header("Allow")), (path, wrong.Status, wrong.Header("Allow")));
            Assert.Equal("/problems/method-not-allowed", wrong.Problem);
            // The stream never ends; it has its own tests.
            if (methods.Contains("GET") && path != "/api/stream")
            {
                var (get, head) = (await SendAsync("GET", path), await SendAsync("HEAD", path));
                Assert.Equal((path, get.Status, get.Header("ETag"), get.Header("Content-Type"), ""), (path, head.Status, head.Header("ETag"), head.Header("Content-Type"), head.Body));
            }
        }
    }

    // Fails when the path base is routed before HEAD has been turned into GET.
    [Theory]
    [InlineData("/console/health")]
    [InlineData("/console/alive")]
    public async Task The_console_supports_head_and_options(string path)
    {
        var (get, head, options) = (await SendAsync("GET", path), await SendAsync("HEAD", path), await SendAsync("OPTIONS", path));
        Assert.Equal((200, 200, get.Header("Content-Type"), ""), (get.Status, head.Status, head.Header("Content-Type"), head.Body));
        Assert.Equal((204, "GET, HEAD, OPTIONS"), (options.Status, options.Header("Allow")));
    }

    [Theory]
    [MemberData(nameof(ApiDocumentsTests.Services), MemberType = typeof(ApiDocumentsTests))]
    public async Task Unknown_and_repeated_parameters_are_refused(string service)
    {
        foreach (var operation in await OperationsAsync(service))
        {
            var answer = await SendAsync(operation.Method, operation.Url + "?nobodyKnows=1", operation.ContentType, "{}"u8.ToArray());
            Assert.Equal((operation.Method, operation.Url, 400, true), (operation.Method, operation.Url, answer.Status, answer.Errors.Contains("nobodyKnows")));
            foreach (var name in operation.Query)
            {
                var twice = await SendAsync(operation.Method, $"{operation.Url}?{name}=1&{name}=1", operation.ContentType, "{}"u8.ToArray());
                Assert.Equal((operation.Url, name, 400, true), (operation.Url, name, twice.Status, twice.Errors.Contains(name)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(ApiDocumentsTests.Services), MemberType = typeof(ApiDocumentsTests))]
    public async Task No_list_accepts_an_invented_cursor(string service)
    {
        foreach (var operation in (await OperationsAsync(service)).Where(o => o.Query.Contains("cursor")))
        {
            foreach (var cursor in new[] { "", "x", "AZOSngHOenqKK28fa5wAA!", "AZOSngHOenqKK28fa5wAAw", "%00", "%C3%A4", "////////////////////////", new string('A', 2000), "null", "0" })
            {
                var answer = await SendAsync("GET", $"{operation.Url}?cursor={cursor}");
                Assert.Equal((operation.Url, cursor, 400, true), (operation.Url, cursor, answer.Status, answer.Errors.Contains("cursor")));
            }
        }
    }

    // Fails when a cursor of one list is accepted by another, or opens what its bearer may not read.
    [Fact]
    public async Task A_cursor_works_for_its_list_only_and_gives_access_to_nothing_else()
    {
        var shop = new Shop(system.Gateway);
        var (own, other, product) = (await shop.CustomerAsync(), await shop.CustomerAsync(), await shop.ProductAsync(stock: 100));
        await shop.ProductAsync(stock: 1);
        using var customer = await system.Runner.CreateCustomerClientAsync(own);
        foreach (var holder in new[] { system.Gateway, customer, system.Gateway })
        {
            using var hold = await holder.PostAsJsonAsync("/api/inventory/holds", new { lines = new[] { new { productId = product, quantity = 1 } } });
            hold.EnsureSuccessStatusCode();
        }

        foreach (var who in new[] { other, own, other, own, other })
        {
            await shop.PlaceAsync(who, (product, 1));
        }

        await Eventually.TrueAsync(
            async () => (await shop.GetAsync($"/api/notifications?customerId={own}"))["items"]!.AsArray().Count > 1, TimeSpan.FromSeconds(30), "there are messages");
        var lists = new List<(string Url, string Roles, string? Next)>();
        foreach (var service in ((IEnumerable<object[]>)ApiDocumentsTests.Services).Select(row => (string)row[0]))
        {
            foreach (var operation in (await OperationsAsync(service)).Where(o => o.Query.Contains("cursor")))
            {
                var first = await SendAsync("GET", operation.Url + "?limit=1");
                lists.Add((operation.Url, operation.Roles, first.Status == 200 ? (string?)JsonNode.Parse(first.Body)!["next"] : null));
            }
        }

        Assert.True(lists.Count(list => list.Next is not null) > 8, string.Join(", ", lists.Where(list => list.Next is null).Select(list => list.Url)));
        foreach (var (from, _, cursor) in lists.Where(list => list.Next is not null))
        {
            foreach (var (url, _, _) in lists.Where(list => list.Url != from))
            {
                var answer = await SendAsync("GET", $"{url}?cursor={cursor}");
                Assert.Equal((from, url, 400, true), (from, url, answer.Status, answer.Errors.Contains("cursor")));
            }
        }

        var holds = (await new Shop(customer).GetAsync("/api/inventory/holds"))["items"]!.AsArray().Select(hold => (Guid)hold!["id"]!).ToHashSet();
        foreach (var (url, _, cursor) in lists.Where(list => list.Next is not null && list.Roles.Contains("customer", StringComparison.Ordinal)))
        {
            var shown = 0;
            foreach (var tampered in Enumerable.Range(0, cursor!.Length).Select(i => cursor[..i] + (cursor[i] == 'A' ? 'B' : 'A') + cursor[(i + 1)..]).Append(cursor))
            {
                using var response = await customer.GetAsync($"{url}?limit=100&cursor={tampered}");
                Assert.True((int)response.StatusCode is 200 or 400, $"{url} {tampered}: {response.StatusCode}");
                var items = response.IsSuccessStatusCode ? (await response.Content.ReadFromJsonAsync<JsonNode>())!["items"]!.AsArray() : [];
                shown += items.Count;
                Assert.All(items, item => Assert.True(url.EndsWith("/holds", StringComparison.Ordinal) ? holds.Contains((Guid)item!["id"]!) : item!["customerId"] is not { } whose || (Guid)whose == own, $"{url} {tampered}: {item}"));
            }

            Assert.True(shown > 0, url);
        }
    }

    // Fails when a body sets what its sender may not: a state, a version, an id, another's name, a role.
    [Theory]
    [MemberData(nameof(ApiDocumentsTests.Services), MemberType = typeof(ApiDocumentsTests))]
    public async Task No_body_may_have_members_that_its_request_does_not_have(string service)
    {
        string[] wanted =
        [
            "status", "version", "customerId", "roles", "role", "sub", "id", "orderId", "productId", "total", "unitPrice", "reserved", "available", "onHand", "createdAt", "updatedAt", "placedAt",
            "active", "deleted", "attempts", "isAdmin", "__proto__", "$type", "Status", "ID",
        ];
        var document = await DocumentAsync(service);
        var tried = 0;
        foreach (var operation in (await OperationsAsync(service)).Where(o => o.ContentType?.Contains("json", StringComparison.Ordinal) == true && !o.Url.EndsWith("/import", StringComparison.Ordinal)))
        {
            foreach (var (inside, at, known) in Places(Resolve(document, operation.Schema), "{0}", "$"))
            {
                foreach (var name in wanted.Except(known))
                {
                    var body = inside.Replace("{0}", $"{{\"{name}\":1}}", StringComparison.Ordinal);
                    var answer = await SendAsync(operation.Method, operation.Url, operation.ContentType, Encoding.UTF8.GetBytes(body), ("If-Match", "*"), ("Idempotency-Key", "k"));
                    // A PATCH may find first that the resource does not exist.
                    Assert.True(answer.Status == 400 ? answer.Errors.Contains($"{at}.{name}") || name[0] is '$' or '_' : answer.Status == 404 && operation.Method == "PATCH", $"{operation.Method} {operation.Url} {body}: {answer.Status} {answer.Body}");
                    tried++;
                }
            }
        }

        Assert.True(tried > 50);

        // The body's object itself, and the objects that are its members or items of its lists.
        IEnumerable<(string Inside, string At, IReadOnlyList<string> Known)> Places(JsonNode? schema, string inside, string at)
        {
            if (schema?["properties"] is not JsonObject members || schema["additionalProperties"] is JsonObject)
            {
                yield break;
            }

            yield return (inside, at, [.. members.Select(member => member.Key)]);
            foreach (var (name, member) in members)
            {
                var type = Resolve(document, member);
                var (item, before, after, path) = type?["items"] is { } items ? (Resolve(document, items), "[", "]", $"{at}.{name}[0]") : (type, "", "", $"{at}.{name}");
                foreach (var place in Places(item, inside.Replace("{0}", $"{{\"{name}\":{before}{{0}}{after}}}", StringComparison.Ordinal), path))
                {
                    yield return place;
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(ApiDocumentsTests.Services), MemberType = typeof(ApiDocumentsTests))]
    public async Task Every_body_is_utf8_plain_or_gzip(string service)
    {
        foreach (var operation in (await OperationsAsync(service)).Where(o => o.ContentType is not null))
        {
            foreach (var (charset, refused) in new[] { ("\"utf-8\"", false), ("UTF-8", false), ("utf8", true), ("\"latin1\"", true), ("klingon", true), ("utf-16", true) })
            {
                var answer = await SendAsync(operation.Method, operation.Url, $"{operation.ContentType}; charset={charset}", "{\"unknownMember\": 1}"u8.ToArray());
                Assert.Equal((operation.Url, charset, refused), (operation.Url, charset, answer.Status == 415));
                Assert.True(answer.Status < 500, $"{operation.Url} {charset}: {answer.Status}");
            }

            var coded = await SendAsync(operation.Method, operation.Url, operation.ContentType, "{}"u8.ToArray(), ("Content-Encoding", "br"));
            Assert.Equal((operation.Url, 415, "gzip"), (operation.Url, coded.Status, coded.Header("Accept-Encoding")));
            var lie = await SendAsync(operation.Method, operation.Url, operation.ContentType, "{}"u8.ToArray(), ("Content-Encoding", "gzip"), ("If-Match", "*"));
            // A PATCH may find first that the resource does not exist.
            Assert.True(lie.Status is 400 or 404, $"{operation.Method} {operation.Url}: {lie.Status}");
        }
    }

    [Theory]
    [MemberData(nameof(ApiDocumentsTests.Services), MemberType = typeof(ApiDocumentsTests))]
    public async Task No_body_has_bytes_that_are_not_utf8_and_no_list_a_null(string service)
    {
        var document = await DocumentAsync(service);
        foreach (var operation in (await OperationsAsync(service)).Where(o => o.ContentType?.Contains("json", StringComparison.Ordinal) == true && !o.Url.EndsWith("/import", StringComparison.Ordinal)))
        {
            var schema = Resolve(document, operation.Schema)?["properties"]?.AsObject();
            foreach (var (name, member) in schema ?? [])
            {
                var type = Resolve(document, member);
                var types = type?["type"]?.ToJsonString() ?? "";
                var body = types.Contains("string", StringComparison.Ordinal) && type?["enum"] is null
                    ? [.. Encoding.ASCII.GetBytes($"{{\"{name}\": \"M"), 0xFC, .. "ller\"}"u8]
                    : types.Contains("array", StringComparison.Ordinal) ? Encoding.ASCII.GetBytes($"{{\"{name}\": [null]}}") : null;
                if (body is not null)
                {
                    var answer = await SendAsync(operation.Method, operation.Url, operation.ContentType, body, ("If-Match", "*"));
                    Assert.True(answer.Status is 400 or 404, $"{operation.Method} {operation.Url} {name}: {answer.Status} {answer.Body}");
                }
            }
        }

        if (service == "notifications")
        {
            foreach (var member in new[] { "lines", "shortages" })
            {
                var preview = await SendAsync("POST", "/api/notifications/templates/orderShipped/email/en/preview", "application/json", Encoding.ASCII.GetBytes($"{{\"data\": {{\"{member}\": [null]}}}}"));
                Assert.Equal((400, $"$.data.{member}[0]"), (preview.Status, preview.Errors.Single()));
            }
        }
    }

    [Theory]
    [MemberData(nameof(ApiDocumentsTests.Services), MemberType = typeof(ApiDocumentsTests))]
    public async Task No_body_has_a_time_without_its_zone_or_a_word_in_another_spelling(string service)
    {
        var document = await DocumentAsync(service);
        foreach (var operation in (await OperationsAsync(service)).Where(o => o.ContentType?.Contains("json", StringComparison.Ordinal) == true && !o.Url.EndsWith("/import", StringComparison.Ordinal)))
        {
            foreach (var (name, member) in Resolve(document, operation.Schema)?["properties"]?.AsObject() ?? [])
            {
                var type = Resolve(document, member);
                var word = (string?)type?["enum"]?[0];
                string[] values = word is not null ? [word.ToUpperInvariant(), $" {word}", $"{word},{word}", "0"]
                    : (string?)type?["format"] == "date-time" ? ["2026-11-28", "2026-11-28T08:00:00", "2026-11-28T08:00Z", "2026-06-30T23:59:60Z"] : [];
                foreach (var value in values)
                {
                    var answer = await SendAsync(operation.Method, operation.Url, operation.ContentType, Encoding.ASCII.GetBytes($"{{\"{name}\": \"{value}\"}}"), ("If-Match", "*"));
                    // A PATCH may find first that the resource does not exist.
                    Assert.True(answer.Errors.Contains($"$.{name}") || (answer.Status == 404 && operation.Method == "PATCH"), $"{operation.Method} {operation.Url} {name} {value}: {answer.Status} {answer.Body}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(ApiDocumentsTests.Services), MemberType = typeof(ApiDocumentsTests))]
    public async Task Deep_long_and_wide_bodies_do_no_harm(string service)
    {
        var deep = Encoding.ASCII.GetBytes($"{new string('[', 10_000)}{new string(']', 10_000)}");
        var deepObject = Encoding.ASCII.GetBytes($"{string.Concat(Enumerable.Repeat("{\"a\":", 10_000))}1{new string('}', 10_000)}");
        var wide = Encoding.ASCII.GetBytes($"{{{string.Join(',', Enumerable.Range(0, 100_000).Select(i => $"\"m{i % 10}{i}\":1"))}}}"[..1_040_000]);
        var manyMembers = Encoding.ASCII.GetBytes($"{{{string.Join(',', Enumerable.Range(0, 100_000).Select(i => $"\"{i}\":1"))}}}");
        var longString = Encoding.ASCII.GetBytes($"{{\"{new string('n', 500_000)}\":\"{new string('v', 500_000)}\"}}");
        var longNumber = Encoding.ASCII.GetBytes($"{{\"quantity\":{new string('9', 1_000_000)}}}");
        foreach (var operation in (await OperationsAsync(service)).Where(o => o.ContentType?.Contains("json", StringComparison.Ordinal) == true && !o.Url.EndsWith("/import", StringComparison.Ordinal)))
        {
            foreach (var (what, body) in new[] { ("deep", deep), ("deep object", deepObject), ("wide, cut off", wide), ("members", manyMembers), ("string", longString), ("number", longNumber) })
            {
                var answer = await SendAsync(operation.Method, operation.Url, operation.ContentType, body, ("If-Match", "*"), ("Idempotency-Key", "k"));
                Assert.True(answer.Status is 400 or 404, $"{operation.Method} {operation.Url} {what}: {answer.Status} {answer.Body}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(ApiDocumentsTests.Services), MemberType = typeof(ApiDocumentsTests))]
    public async Task Duplicate_members_are_refused_in_any_spelling(string service)
    {
        var document = await DocumentAsync(service);
        foreach (var operation in (await OperationsAsync(service)).Where(o => o.ContentType?.Contains("json", StringComparison.Ordinal) == true && !o.Url.EndsWith("/import", StringComparison.Ordinal)))
        {
            foreach (var name in Resolve(document, operation.Schema)?["properties"]?.AsObject().Select(member => member.Key) ?? [])
            {
                var escaped = string.Concat(name.Select(c => $"\\u{(int)c:x4}"));
                var answer = await SendAsync(operation.Method, operation.Url, operation.ContentType, Encoding.ASCII.GetBytes($"{{\"{name}\":null,\"{escaped}\":null}}"), ("If-Match", "*"), ("Idempotency-Key", "k"));
                Assert.True(answer.Status is 400 or 404, $"{operation.Method} {operation.Url} {name}: {answer.Status} {answer.Body}");
            }
        }
    }

    [Fact]
    public async Task The_parameters_of_each_service_are_read_strictly()
    {
        foreach (var query in new[]
        {
            "orders?status=Pending", "orders?status=1", "orders?status=", "orders?placedFrom=10:00", "orders?placedFrom=1/2/2026", "orders?placedTo=2026-11-24", "orders?placedFrom=2026-11-24T08:00:00",
            "orders?placedFrom=2026-11-24 08:00:00Z", "orders?placedFrom=2026-11-24T08:00:00+01:00", "orders?placedFrom=2026-02-30T08:00:00Z", "orders?customerId={01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003}", "orders?customerId=",
            "inventory?lowStock=TRUE", "inventory?lowStock=1", "inventory?lowStock=", "inventory?productIds=a,b",
            "inventory/export?format=CSV", "inventory/reconciliation?limit=1e1", "notifications?template=bogus", "notifications?status=Sent", "notifications?channel=0", "notifications?createdFrom=yesterday", "customers?ids=, ", "customers?limit=+1",
        })
        {
            var name = query[(query.IndexOf('?', StringComparison.Ordinal) + 1)..query.IndexOf('=', StringComparison.Ordinal)];
            var answer = await SendAsync("GET", "/api/" + query);
            Assert.Equal((query, 400, true), (query, answer.Status, answer.Errors.Contains(name)));
        }

        foreach (var query in new[]
        {
            "orders?status=revisionPending", "orders?placedFrom=2026-11-24T08:00:00.123456789Z&placedTo=2026-11-24t08:00:00%2B05:30", "orders?placedFrom=0001-01-01T00:00:00Z", "inventory?lowStock=true", "notifications?template=event&channel=webhook&status=sent",
        })
        {
            Assert.Equal((query, 200), (query, (await SendAsync("GET", "/api/" + query)).Status));
        }

        Assert.Equal(400, (await SendAsync("POST", $"/api/inventory/{Guid.CreateVersion7()}/rebuild?dry_run=true")).Status);
        Assert.Equal(400, (await SendAsync("POST", $"/api/inventory/{Guid.CreateVersion7()}/rebuild?dryRun=True")).Status);
        Assert.Equal(404, (await SendAsync("GET", "/api/orders/{01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003}")).Status);
    }

    private static JsonNode? Resolve(JsonObject document, JsonNode? schema)
    {
        var found = schema?["oneOf"]?.AsArray().FirstOrDefault(choice => choice!["$ref"] is not null) ?? schema;
        return (string?)found?["$ref"] is { } reference
            ? reference.TrimStart('#', '/').Split('/').Aggregate((JsonNode?)document, (node, part) => node?[part])
            : found;
    }

    private async Task<JsonObject> DocumentAsync(string service) => (await system.Gateway.GetFromJsonAsync<JsonObject>($"/openapi/{service}.json"))!;

    private async Task<List<Operation>> OperationsAsync(string service) => [.. (await DocumentAsync(service))["paths"]!.AsObject()
        .SelectMany(path => s_methods.Where(method => path.Value![method] is not null).Select(method => Operation.Of(path.Key, method, path.Value![method]!)))];

    private async Task<Answer> SendAsync(string method, string url, string? contentType = null, byte[]? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new(method), url);
        if (contentType is not null)
        {
            request.Content = new ByteArrayContent(body!);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
            request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        }

        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content!.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var response = await system.Gateway.SendAsync(request);
        return new((int)response.StatusCode, response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated).ToDictionary(h => h.Key, h => h.Value.ToString()), await response.Content.ReadAsStringAsync());
    }

    /// <param name="Url">With ids of no existing resource in the path.</param>
    private sealed record Operation(string Method, string Url, string? ContentType, JsonNode? Schema, IReadOnlyList<string> Query, string Roles)
    {
        public static Operation Of(string path, string method, JsonNode operation)
        {
            var parameters = operation["parameters"]?.AsArray() ?? [];
            var url = parameters.Where(p => (string?)p!["in"] == "path").Aggregate(path, (url, p) => url.Replace(
                $"{{{p!["name"]}}}", (string?)p["name"] switch
                {
                    "template" => "orderShipped",
                    "channel" => "email",
                    "language" => "en",
                    _ => (string?)p["schema"]?["format"] == "uuid" ? "01939b7a-4ce0-7a3e-8a2b-6f1f6b9c0003" : "x",
                }, StringComparison.Ordinal));
            var content = operation["requestBody"]?["content"]?.AsObject().FirstOrDefault();
            return new(
                method.ToUpperInvariant(), url.Length > 1 ? url.TrimEnd('/') : url, content?.Key, content?.Value?["schema"],
                [.. parameters.Where(p => (string?)p!["in"] == "query").Select(p => (string)p!["name"]!)], operation["x-roles"]?.ToJsonString() ?? "");
        }
    }

    private sealed record Answer(int Status, Dictionary<string, string> Headers, string Body)
    {
        public string? Problem => Status >= 400 && Body.Length > 0 ? (string?)JsonNode.Parse(Body)!["type"] : null;

        public List<string> Errors => Status == 400 && Body.Length > 0 ? [.. (JsonNode.Parse(Body)!["errors"]?.AsObject() ?? []).Select(e => e.Key)] : [];

        public string Header(string name) => Headers.GetValueOrDefault(name, "");
    }
}

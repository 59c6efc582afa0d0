using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace OrderInventory.EndToEnd.Tests.Api;

/// <summary>What holds for every operation of our OpenAPI documents, through the gateway: nobody can forget it for a new one.</summary>
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
            // The stream never ends; it has tests of its own.
            if (methods.Contains("GET") && path != "/api/stream")
            {
                var (get, head) = (await SendAsync("GET", path), await SendAsync("HEAD", path));
                Assert.Equal((path, get.Status, get.Header("ETag"), get.Header("Content-Type"), ""), (path, head.Status, head.Header("ETag"), head.Header("Content-Type"), head.Body));
            }
        }
    }

    [Theory]
    [MemberData(nameof(ApiDocumentsTests.Services), MemberType = typeof(ApiDocumentsTests))]
    public async Task No_operation_takes_a_parameter_that_it_does_not_know_or_one_twice(string service)
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
    public async Task No_list_takes_a_cursor_that_it_has_not_given(string service)
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
            // A patch may find first that there is nothing to patch.
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
    public async Task No_body_is_so_deep_long_or_wide_that_it_does_harm(string service)
    {
        var deep = Encoding.ASCII.GetBytes($"{new string('[', 10_000)}{new string(']', 10_000)}");
        var deepObject = Encoding.ASCII.GetBytes($"{string.Concat(Enumerable.Repeat("{\"a\":", 10_000))}1{new string('}', 10_000)}");
        var wide = Encoding.ASCII.GetBytes($"{{{string.Join(',', Enumerable.Range(0, 100_000).Select(i => $"\"m{i % 10}{i}\":1"))}}}"[..1_040_000]);
        var manyMembers = Encoding.ASCII.GetBytes($"{{{string.Join(',', Enumerable.Range(0, 90_000).Select(i => $"\"{i}\":1"))}}}");
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
    public async Task No_member_comes_twice_however_it_is_spelled(string service)
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

    /// <param name="Url">With ids of nothing in the path.</param>
    private sealed record Operation(string Method, string Url, string? ContentType, JsonNode? Schema, IReadOnlyList<string> Query)
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
                [.. parameters.Where(p => (string?)p!["in"] == "query").Select(p => (string)p!["name"]!)]);
        }
    }

    private sealed record Answer(int Status, Dictionary<string, string> Headers, string Body)
    {
        public string? Problem => Status >= 400 && Body.Length > 0 ? (string?)JsonNode.Parse(Body)!["type"] : null;

        public List<string> Errors => Status == 400 && Body.Length > 0 ? [.. (JsonNode.Parse(Body)!["errors"]?.AsObject() ?? []).Select(e => e.Key)] : [];

        public string Header(string name) => Headers.GetValueOrDefault(name, "");
    }
}

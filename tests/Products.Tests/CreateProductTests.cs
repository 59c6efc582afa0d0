using System.Text.Json.Nodes;
using Npgsql;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

[Collection(ProductsCollection.Name)]
public sealed class CreateProductTests(ProductsApp app)
{
    private const string Path = "/api/products";

    [Fact]
    public async Task Returns_201_with_the_product_its_location_and_etag()
    {
        var sku = ProductsApp.NewSku();
        var response = await app.Api.PostAsync(Path,
            $$$"""{"sku": "{{{sku}}}", "name": "Chai", "description": "10 boxes x 20 bags", "category": "beverages", "price": {"amount": 18.00, "currency": "EUR"}}""");

        response.ShouldBe(201);
        Assert.Equal($"{Path}/{response.Id}", response.Headers.Location!.ToString());
        Assert.Equal("\"1\"", response.ETag);
        Assert.Equal(7, response.Id.Version);
        var createdAt = response.Json["createdAt"]!.GetValue<string>();
        Assert.Equal(
            $$"""{"id":"{{response.Id}}","sku":"{{sku}}","name":"Chai","description":"10 boxes x 20 bags","category":"beverages","price":{"amount":18.00,"currency":"EUR"},"attributes":{},"variantOf":null,"status":"active","version":1,"createdAt":"{{createdAt}}","updatedAt":"{{createdAt}}"}""",
            response.Body);
        // Every later response is identical, to the digit.
        Assert.Equal(response.Body, (await app.Api.GetAsync($"{Path}/{response.Id}")).Body);
    }

    [Fact]
    public async Task Creates_a_product_without_description_and_category()
    {
        var response = await app.Api.PostAsync(Path, $$$"""{"sku": "{{{ProductsApp.NewSku()}}}", "name": "Plain", "price": {"amount": 0, "currency": "EUR"}}""");

        response.ShouldBe(201);
        Assert.Null(response.Json["description"]);
        Assert.Null(response.Json["category"]);
    }

    [Fact]
    public async Task Returns_409_when_the_sku_exists()
    {
        var first = await app.CreateAsync();
        var again = ProductsApp.NewProduct((string)first.Json["sku"]!);

        (await app.Api.PostAsync(Path, again.ToJsonString())).ShouldBeProblem(409, "sku-taken");
    }

    [Fact]
    public async Task Creates_one_product_from_20_concurrent_requests_for_one_sku()
    {
        var product = ProductsApp.NewProduct().ToJsonString();

        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => app.Api.PostAsync(Path, product)));

        Assert.Single(responses, r => r.Status == 201);
        Assert.All(responses.Where(r => r.Status != 201), r => r.ShouldBeProblem(409, "sku-taken"));
    }

    public static TheoryData<string, string> MalformedBodies => new()
    {
        { """{"sku": "A", "name": "B", "price": {"amount": 1, "currency": "EUR"}, "colour": "red"}""", "$.colour" },
        { """{"sku": "A", "name": "B", "price": {"amount": 1, "currency": "EUR", "vat": 7}}""", "$.price.vat" },
        { """{"sku": "A", "name": "B", "price": {"amount": "18.00", "currency": "EUR"}}""", "$.price.amount" },
        { """{"sku": "A", "name": "B", "price": {"amount": 1e400, "currency": "EUR"}}""", "$.price.amount" },
        { """{"sku": "A", "name": "B", "price": {"amount": -0.01, "currency": "EUR"}}""", "$.price.amount" },
        { """{"sku": "A", "name": "B", "price": {"amount": 1000000000000.01, "currency": "EUR"}}""", "$.price.amount" },
        { """{"sku": "A", "name": "B", "price": {"amount": 0.00001, "currency": "EUR"}}""", "$.price.amount" },
        { """{"sku": "A", "name": "B", "price": {"amount": 1, "currency": "euro"}}""", "$.price.currency" },
        { """{"sku": "A", "name": "B", "price": {"amount": 1, "currency": "eur"}}""", "$.price.currency" },
        { """{"sku": "A", "name": "B", "price": {"amount": 1}}""", "$.price.currency" },
        { """{"sku": "A", "name": "B", "price": 18.00}""", "$.price" },
        { """{"sku": "A", "name": "B", "price": null}""", "$.price" },
        { """{"sku": "A", "name": "B"}""", "$.price" },
        { """{"sku": null, "name": "B", "price": {"amount": 1, "currency": "EUR"}}""", "$.sku" },
        { """{"sku": "", "name": "B", "price": {"amount": 1, "currency": "EUR"}}""", "$.sku" },
        { """{"sku": " A", "name": "B", "price": {"amount": 1, "currency": "EUR"}}""", "$.sku" },
        { """{"sku": 7, "name": "B", "price": {"amount": 1, "currency": "EUR"}}""", "$.sku" },
        { """{"sku": "A\u0000", "name": "B", "price": {"amount": 1, "currency": "EUR"}}""", "$.sku" },
        { """{"sku": "A", "name": "\ud800", "price": {"amount": 1, "currency": "EUR"}}""", "$.name" },
        { """{"sku": "A", "name": "   ", "price": {"amount": 1, "currency": "EUR"}}""", "$.name" },
        { """{"sku": "A", "sku": "B", "name": "B", "price": {"amount": 1, "currency": "EUR"}}""", "$.sku" },
        { """{"Sku": "A", "name": "B", "price": {"amount": 1, "currency": "EUR"}}""", "$.Sku" },
        { """{"sku": "A", "name": "B", "price": {"amount": 1, "currency": "EUR"}""", "$" },
        { """{'sku': 'A'}""", "$" },
        { "[]", "$" },
        { "null", "$" },
        { "", "$" },
    };

    [Theory]
    [MemberData(nameof(MalformedBodies))]
    public async Task Returns_400_with_the_path_of_what_is_wrong(string body, string path) =>
        (await app.Api.PostAsync(Path, body)).ShouldBeMalformed(path);

    [Theory]
    [InlineData("sku", 64)]
    [InlineData("name", 200)]
    [InlineData("description", 4000)]
    [InlineData("category", 100)]
    public async Task Takes_texts_up_to_their_length_and_no_longer(string member, int length)
    {
        var product = ProductsApp.NewProduct();
        product[member] = new string('x', length + 1);
        (await app.Api.PostAsync(Path, product.ToJsonString())).ShouldBeMalformed($"$.{member}");

        product[member] = Guid.CreateVersion7().ToString("N").PadRight(length, 'x');
        (await app.Api.PostAsync(Path, product.ToJsonString())).ShouldBe(201);
    }

    [Fact]
    public async Task Names_all_errors_in_one_answer()
    {
        var response = await app.Api.PostAsync(Path, """{"sku": "", "name": "", "price": {"amount": -1, "currency": "x"}}""");

        response.ShouldBeProblem(400, "malformed-request");
        Assert.Equal(["$.sku", "$.name", "$.price.amount", "$.price.currency"], response.Json["errors"]!.AsObject().Select(e => e.Key));
    }

    [Fact]
    public async Task Returns_415_when_the_body_is_not_json() =>
        (await app.Api.SendAsync(HttpMethod.Post, Path, "sku=A", [], "application/x-www-form-urlencoded")).ShouldBeProblem(415, "unsupported-media-type");

    [Fact]
    public async Task Returns_413_when_the_body_is_larger_than_a_mebibyte()
    {
        var product = ProductsApp.NewProduct();
        product["description"] = new string('x', 1024 * 1024);

        // A client that expects 100-continue is refused before it sends; another may see the connection closed while it is still writing.
        (await app.Api.PostAsync(Path, product.ToJsonString(), ("Expect", "100-continue"))).ShouldBeProblem(413, "body-too-large");
    }

    [Fact]
    public async Task Creates_once_for_an_idempotency_key()
    {
        var key = ("Idempotency-Key", $"key {Guid.CreateVersion7()}");
        var product = ProductsApp.NewProduct();

        var first = (await app.Api.PostAsync(Path, product.ToJsonString(), key)).ShouldBe(201);
        // Different white space and a different order of members are the same request.
        var shuffled = new JsonObject(product.Reverse().Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone())));
        var second = (await app.Api.PostAsync(Path, shuffled.ToJsonString(new() { WriteIndented = true }), key)).ShouldBe(201);

        Assert.False(first.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal("true", second.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(first.Body, second.Body);
        Assert.Equal(first.Headers.Location, second.Headers.Location);
        Assert.Equal(first.ETag, second.ETag);
    }

    [Fact]
    public async Task Answers_a_replay_with_the_current_product()
    {
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());
        var product = ProductsApp.NewProduct().ToJsonString();
        var first = (await app.Api.PostAsync(Path, product, key)).ShouldBe(201);
        (await app.Api.PatchAsync($"{Path}/{first.Id}", """{"name": "Renamed"}""", first.IfMatch)).ShouldBe(200);

        var replay = (await app.Api.PostAsync(Path, product, key)).ShouldBe(201);

        Assert.Equal("Renamed", (string?)replay.Json["name"]);
        Assert.Equal("\"2\"", replay.ETag);
    }

    [Fact]
    public async Task Returns_404_for_a_replay_when_the_product_has_been_deleted()
    {
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());
        var product = ProductsApp.NewProduct().ToJsonString();
        var first = (await app.Api.PostAsync(Path, product, key)).ShouldBe(201);
        (await app.Api.DeleteAsync($"{Path}/{first.Id}", first.IfMatch)).ShouldBe(204);

        (await app.Api.PostAsync(Path, product, key)).ShouldBeProblem(404, "not-found");
    }

    [Fact]
    public async Task Returns_422_when_the_key_came_with_another_body()
    {
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());
        (await app.Api.PostAsync(Path, ProductsApp.NewProduct().ToJsonString(), key)).ShouldBe(201);

        (await app.Api.PostAsync(Path, ProductsApp.NewProduct().ToJsonString(), key)).ShouldBeProblem(422, "idempotency-key-reused");
    }

    [Fact]
    public async Task Returns_409_with_retry_after_while_the_key_is_in_flight()
    {
        var key = Guid.CreateVersion7().ToString();
        await using var connection = await app.Database.OpenConnectionAsync();
        await using var inFlight = await connection.BeginTransactionAsync();
        await using var insert = new NpgsqlCommand(
            "INSERT INTO idempotency_keys (caller, key, fingerprint, resource_id) VALUES ('tester', $1, '', gen_random_uuid())", connection, inFlight);
        insert.Parameters.Add(new() { Value = key });
        await insert.ExecuteNonQueryAsync();
        var product = ProductsApp.NewProduct().ToJsonString();

        var response = await app.Api.PostAsync(Path, product, ("Idempotency-Key", key));

        response.ShouldBeProblem(409, "idempotency-in-flight");
        Assert.NotNull(response.Headers.RetryAfter);
        // The request in flight fails: the key is free again.
        await inFlight.RollbackAsync();
        (await app.Api.PostAsync(Path, product, ("Idempotency-Key", key))).ShouldBe(201);
    }

    [Fact]
    public async Task Leaves_no_key_when_the_request_is_refused()
    {
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());
        var taken = await app.CreateAsync();
        (await app.Api.PostAsync(Path, ProductsApp.NewProduct((string)taken.Json["sku"]!).ToJsonString(), key)).ShouldBeProblem(409, "sku-taken");

        (await app.Api.PostAsync(Path, ProductsApp.NewProduct().ToJsonString(), key)).ShouldBe(201);
    }

    [Fact]
    public async Task Creates_one_product_from_20_concurrent_requests_with_one_key()
    {
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());
        var product = ProductsApp.NewProduct();

        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => app.Api.PostAsync(Path, product.ToJsonString(), key)));

        Assert.All(responses, r => Assert.True(r.Status == 201 || r.ShouldBeProblem(409, "idempotency-in-flight").Status == 409));
        Assert.Single(responses.Where(r => r.Status == 201).Select(r => r.Id).Distinct());
        Assert.Single(responses, r => r.Status == 201 && !r.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1, await app.CountAsync("SELECT count(*) FROM products WHERE sku = $1", (string)product["sku"]!));
    }

    [Theory]
    [InlineData("")]
    [InlineData("tab\tulator")]
    public async Task Returns_400_for_a_key_that_is_not_printable_ascii(string key) =>
        (await app.Api.PostAsync(Path, ProductsApp.NewProduct().ToJsonString(), ("Idempotency-Key", key))).ShouldBeMalformed("Idempotency-Key");

    [Fact]
    public async Task Returns_400_for_a_key_of_more_than_255_characters()
    {
        (await app.Api.PostAsync(Path, ProductsApp.NewProduct().ToJsonString(), ("Idempotency-Key", new string('k', 256)))).ShouldBeMalformed("Idempotency-Key");
        (await app.Api.PostAsync(Path, ProductsApp.NewProduct().ToJsonString(), ("Idempotency-Key", new string('k', 255)))).ShouldBe(201);
    }
}

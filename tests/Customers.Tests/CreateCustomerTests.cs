using System.Text.Json.Nodes;
using OrderInventory.TestSupport;

namespace OrderInventory.Customers.Tests;

[Collection(CustomersCollection.Name)]
public sealed class CreateCustomerTests(CustomersApp app)
{
    private const string Path = "/api/customers";

    [Fact]
    public async Task Returns_201_with_the_customer_its_location_and_etag()
    {
        var email = CustomersApp.NewEmail();
        var response = await app.Api.PostAsync(Path, $$"""{"name": "Maria Anders", "email": "{{email}}", "phone": "+49 30 0074321"}""");

        response.ShouldBe(201);
        Assert.Equal($"{Path}/{response.Id}", response.Headers.Location!.ToString());
        Assert.Equal("\"1\"", response.ETag);
        Assert.Equal(7, response.Id.Version);
        var createdAt = response.Json["createdAt"]!.GetValue<string>();
        var expected = new JsonObject
        {
            ["id"] = response.Id,
            ["name"] = "Maria Anders",
            ["email"] = email,
            ["phone"] = "+49 30 0074321",
            ["addresses"] = new JsonArray(),
            ["language"] = "en",
            ["channels"] = new JsonObject { ["email"] = true, ["sms"] = false, ["webhook"] = false },
            ["status"] = "active",
            ["version"] = 1,
            ["createdAt"] = createdAt,
            ["updatedAt"] = createdAt,
        };
        Assert.True(JsonNode.DeepEquals(expected, response.Json), response.Body);
        Assert.Equal(response.Body, (await app.Api.GetAsync($"{Path}/{response.Id}")).Body);
    }

    [Fact]
    public async Task Takes_language_and_channels_and_no_phone()
    {
        var response = await app.Api.PostAsync(Path,
            $$$"""{"name": "Ana", "email": "{{{CustomersApp.NewEmail()}}}", "language": "pt-BR", "channels": {"email": false, "sms": false, "webhook": true}}""");

        response.ShouldBe(201);
        Assert.Null(response.Json["phone"]);
        Assert.Equal("pt-BR", (string?)response.Json["language"]);
        Assert.Equal("""{"email":false,"sms":false,"webhook":true}""", response.Json["channels"]!.ToJsonString());
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("+49 30 0074321", false)]
    [InlineData("0049300074321", false)]
    [InlineData("+0300074321", false)]
    [InlineData("+1234567890123456", false)]
    [InlineData("+49300074321", true)]
    [InlineData("+123456789012345", true)]
    public async Task Needs_a_phone_in_e164_form_for_sms(string? phone, bool taken)
    {
        var customer = CustomersApp.NewCustomer();
        customer["phone"] = phone;
        customer["channels"] = new JsonObject { ["email"] = true, ["sms"] = true, ["webhook"] = false };

        var response = await app.Api.PostAsync(Path, customer.ToJsonString());

        _ = taken ? response.ShouldBe(201) : response.ShouldBeMalformed("$.phone");
    }

    [Fact]
    public async Task Returns_409_when_the_email_exists_in_other_letters()
    {
        var email = CustomersApp.NewEmail();
        await app.CreateAsync(c => c["email"] = email);

        var response = await app.Api.PostAsync(Path, CustomersApp.NewCustomer(email.ToUpperInvariant()).ToJsonString());

        response.ShouldBeProblem(409, "email-taken");
        Assert.DoesNotContain("@", response.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Creates_one_customer_from_20_concurrent_requests_for_one_email()
    {
        var email = CustomersApp.NewEmail();

        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            app.Api.PostAsync(Path, CustomersApp.NewCustomer(i % 2 == 0 ? email : email.ToUpperInvariant()).ToJsonString())));

        Assert.Single(responses, r => r.Status == 201);
        Assert.All(responses.Where(r => r.Status != 201), r => r.ShouldBeProblem(409, "email-taken"));
    }

    public static TheoryData<string, string> MalformedBodies => new()
    {
        { """{"name": "A", "email": "a@example.com", "vip": true}""", "$.vip" },
        { """{"name": "A", "email": "a@example.com", "channels": {"email": true}}""", "$.channels.sms" },
        { """{"name": "A", "email": "a@example.com", "channels": {"email": true, "sms": false, "webhook": false, "fax": true}}""", "$.channels.fax" },
        { """{"name": "A", "email": "a@example.com", "channels": {"email": "yes", "sms": false, "webhook": false}}""", "$.channels.email" },
        { """{"name": "A", "email": "a@example.com", "language": "German, please"}""", "$.language" },
        { """{"name": "A", "email": "a@example.com", "language": ""}""", "$.language" },
        { """{"name": "A", "email": "a@example.com", "phone": ""}""", "$.phone" },
        { """{"name": "A", "email": "a@example.com", "phone": "1\n2"}""", "$.phone" },
        { """{"name": "A", "email": "a@example.com", "phone": 30}""", "$.phone" },
        { """{"name": "A", "email": "example.com"}""", "$.email" },
        { """{"name": "A", "email": "a@b@example.com"}""", "$.email" },
        { """{"name": "A", "email": "a @example.com"}""", "$.email" },
        { """{"name": "A", "email": "a@example.com\r\nBcc: b@example.com"}""", "$.email" },
        { """{"name": "A", "email": "a@example.com\n"}""", "$.email" },
        { """{"name": "A", "email": ""}""", "$.email" },
        { """{"name": "A", "email": null}""", "$.email" },
        { """{"name": "A"}""", "$.email" },
        { """{"name": "A\r\nB", "email": "a@example.com"}""", "$.name" },
        { """{"name": "A\u0000", "email": "a@example.com"}""", "$.name" },
        { """{"name": "", "email": "a@example.com"}""", "$.name" },
        { """{"name": "A", "name": "B", "email": "a@example.com"}""", "$.name" },
        { """{"name": "A", "email": "a@example.com" """, "$" },
        { "[]", "$" },
        { "", "$" },
    };

    [Theory]
    [MemberData(nameof(MalformedBodies))]
    public async Task Returns_400_with_the_path_of_what_is_wrong(string body, string path) =>
        (await app.Api.PostAsync(Path, body)).ShouldBeMalformed(path);

    [Theory]
    [InlineData("name", 200)]
    [InlineData("phone", 40)]
    public async Task Takes_texts_up_to_their_length_and_no_longer(string member, int length)
    {
        var customer = CustomersApp.NewCustomer();
        customer[member] = new string('7', length + 1);
        (await app.Api.PostAsync(Path, customer.ToJsonString())).ShouldBeMalformed($"$.{member}");

        customer[member] = new string('7', length);
        (await app.Api.PostAsync(Path, customer.ToJsonString())).ShouldBe(201);
    }

    [Fact]
    public async Task Takes_an_email_of_254_characters_and_no_longer()
    {
        string OfLength(int length) => $"{Guid.CreateVersion7():N}@{string.Join('.', Enumerable.Repeat(new string('x', 62), 3))}.{new string('y', length - 33 - 189 - 4)}.com";

        (await app.Api.PostAsync(Path, CustomersApp.NewCustomer(OfLength(255)).ToJsonString())).ShouldBeMalformed("$.email");
        (await app.Api.PostAsync(Path, CustomersApp.NewCustomer(OfLength(254)).ToJsonString())).ShouldBe(201);
    }

    [Fact]
    public async Task Returns_415_when_the_body_is_not_json() =>
        (await app.Api.SendAsync(HttpMethod.Post, Path, "name=A", [], "text/plain")).ShouldBeProblem(415, "unsupported-media-type");

    [Fact]
    public async Task Returns_413_when_the_body_is_larger_than_a_mebibyte() =>
        // A client that expects 100-continue is refused before it sends; another may see the connection closed while it is still writing.
        (await app.Api.PostAsync(Path, $$"""{"name": "{{new string('x', 1024 * 1024)}}"}""", ("Expect", "100-continue"))).ShouldBeProblem(413, "body-too-large");

    [Fact]
    public async Task Creates_once_for_an_idempotency_key()
    {
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());
        var customer = CustomersApp.NewCustomer().ToJsonString();

        var first = (await app.Api.PostAsync(Path, customer, key)).ShouldBe(201);
        var second = (await app.Api.PostAsync(Path, customer, key)).ShouldBe(201);

        Assert.False(first.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal("true", second.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(first.Body, second.Body);
        (await app.Api.PostAsync(Path, CustomersApp.NewCustomer().ToJsonString(), key)).ShouldBeProblem(422, "idempotency-key-reused");
    }

    [Theory]
    [InlineData("", "\"language\": \"en\"")]
    [InlineData("\"phone\": null", "\"channels\": {\"webhook\": false, \"sms\": false, \"email\": true}")]
    [InlineData("\"language\": \"en\", \"channels\": {\"email\": true, \"sms\": false, \"webhook\": false}", "")]
    public async Task A_default_that_is_given_and_one_that_is_left_out_are_one_request(string first, string second)
    {
        var key = ("Idempotency-Key", Guid.CreateVersion7().ToString());
        var email = $"{Guid.CreateVersion7():N}@example.com";
        string Body(string more) => $$"""{"name": "Maria Anders", "email": "{{email}}"{{(more == "" ? "" : ", " + more)}} }""";

        var made = (await app.Api.PostAsync("/api/customers", Body(first), key)).ShouldBe(201);

        Assert.Equal(made.Id, (await app.Api.PostAsync("/api/customers", Body(second), key)).ShouldBe(201).Id);
        (await app.Api.PostAsync("/api/customers", Body("\"language\": \"de\""), key)).ShouldBeProblem(422, "idempotency-key-reused");
    }
}

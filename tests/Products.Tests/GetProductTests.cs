using OrderInventory.TestSupport;
using StackExchange.Redis;

namespace OrderInventory.Products.Tests;

[Collection(ProductsCollection.Name)]
public sealed class GetProductTests(ProductsApp app)
{
    [Fact]
    public async Task Returns_404_when_there_is_no_such_product() =>
        (await app.Api.GetAsync($"/api/products/{Guid.CreateVersion7()}")).ShouldBeProblem(404, "not-found");

    [Fact]
    public async Task Returns_404_for_an_invalid_id() =>
        (await app.Api.GetAsync("/api/products/tea")).ShouldBeProblem(404, "not-found");

    [Theory]
    [InlineData("\"1\"", 304)]
    [InlineData("W/\"1\"", 304)]
    [InlineData("\"7\", \"1\"", 304)]
    [InlineData("*", 304)]
    [InlineData("\"2\"", 200)]
    public async Task Returns_304_when_the_caller_has_this_version(string ifNoneMatch, int status)
    {
        var product = await app.CreateAsync();

        var response = (await app.Api.GetAsync($"/api/products/{product.Id}", ("If-None-Match", ifNoneMatch))).ShouldBe(status);

        Assert.Equal("\"1\"", response.ETag);
        Assert.Equal(status == 304 ? "" : product.Body, response.Body);
    }

    [Fact]
    public async Task Answers_from_redis_for_at_most_five_minutes()
    {
        var product = await CreateCachedAsync();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(app.RedisAddress);

        Assert.InRange(
            (await redis.GetDatabase().KeyTimeToLiveAsync($"products:{product.Id}"))!.Value, TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task Sees_every_change_immediately()
    {
        var product = await CreateCachedAsync();
        for (var version = 1; version < 20; version++)
        {
            (await app.Api.GetAsync($"/api/products/{product.Id}")).ShouldBe(200);
            (await app.Api.PatchAsync($"/api/products/{product.Id}", $$"""{"name": "Name {{version}}"}""", ("If-Match", $"\"{version}\""))).ShouldBe(200);

            Assert.Equal($"Name {version}", (string?)(await app.Api.GetAsync($"/api/products/{product.Id}")).Json["name"]);
        }
    }

    [Fact]
    public async Task Answers_without_redis_and_is_degraded()
    {
        var product = await app.CreateAsync();
        var path = $"/api/products/{product.Id}";
        (await app.Api.GetAsync(path)).ShouldBe(200);
        app.Redis.Stop();
        try
        {
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal(product.Body, (await app.Api.GetAsync(path)).ShouldBe(200).Body);
            }

            // Slower, but still ready: this replica keeps its traffic when Redis is down.
            await Eventually.TrueAsync(
                async () => (string?)(await app.Api.GetAsync("/health")).ShouldBe(200).Json["status"] == "degraded",
            TimeSpan.FromSeconds(20), "the health is degraded");
            var unseen = await app.CreateAsync();
            var changed = (await app.Api.PatchAsync($"/api/products/{unseen.Id}", """{"name": "Changed"}""", unseen.IfMatch)).ShouldBe(200);
            Assert.Equal(changed.Body, (await app.Api.GetAsync($"/api/products/{unseen.Id}")).ShouldBe(200).Body);
        }
        finally
        {
            app.Redis.Start();
        }

        await Eventually.TrueAsync(
            async () => (string?)(await app.Api.GetAsync("/health")).ShouldBe(200).Json["status"] == "healthy",
            TimeSpan.FromSeconds(20), "Redis is used again");
        await CreateCachedAsync();
    }

    /// <summary>Makes a product whose responses must come from Redis: the database has another name for it.</summary>
    private async Task<ApiResponse> CreateCachedAsync()
    {
        var product = await app.CreateAsync();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(app.RedisAddress);
        // A request does not wait until the cache is filled, and the service does not try to fill it without a connection.
        await Eventually.TrueAsync(
            async () => (await app.Api.GetAsync($"/api/products/{product.Id}")).ShouldBe(200).Body == product.Body
                && await redis.GetDatabase().KeyExistsAsync($"products:{product.Id}"),
            TimeSpan.FromSeconds(20), "the product is in Redis");
        await app.CountAsync("WITH changed AS (UPDATE products SET name = 'Other' WHERE id = $1 RETURNING 1) SELECT count(*) FROM changed", product.Id);
        // After another test has stopped Redis, the breaker takes a moment to close.
        await Eventually.TrueAsync(
            async () => (await app.Api.GetAsync($"/api/products/{product.Id}")).ShouldBe(200).Body == product.Body,
            TimeSpan.FromSeconds(20), "the answer comes from Redis");
        return product;
    }
}

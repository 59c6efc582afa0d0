using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderInventory.ServiceDefaults;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

/// <summary>What a service does with more requests than it admits: here, two in progress and one waiting.</summary>
public sealed class AdmissionTests : IAsyncLifetime
{
    private static readonly HttpClient s_client = new();
    private readonly TaskCompletionSource _go = new();
    private WebApplication _app = null!;
    private int _working;
    private int _waiting;

    [Fact]
    public async Task Requests_beyond_the_limit_and_the_queue_get_503_with_Retry_After()
    {
        var taken = new[] { GetAsync("/api/work"), GetAsync("/api/work") };
        await Eventually.TrueAsync(() => _working == 2, TimeSpan.FromSeconds(20), "two requests are running");
        var others = Enumerable.Range(0, 5).Select(_ => GetAsync("/api/work")).ToList();
        var refused = new List<HttpResponseMessage>();
        for (var i = 0; i < 4; i++)
        {
            var answered = await Task.WhenAny(others);
            others.Remove(answered);
            refused.Add(await answered);
        }

        Assert.All(refused, answer => Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (answer.StatusCode, answer.Headers.RetryAfter?.ToString())));
        Assert.Contains("/problems/overloaded", await refused[0].Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(2, _working);

        _go.SetResult();
        Assert.All(await Task.WhenAll(taken), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.Equal(HttpStatusCode.OK, (await others[0]).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/api/work")).StatusCode);
    }

    [Fact]
    public async Task A_request_that_waits_too_long_is_refused_and_frees_its_place()
    {
        await DisposeAsync();
        await StartAsync(maxWait: "00:00:00.050");
        var taken = new[] { GetAsync("/api/work"), GetAsync("/api/work") };
        await Eventually.TrueAsync(() => _working == 2, TimeSpan.FromSeconds(20), "two requests are running");
        for (var i = 0; i < 3; i++)
        {
            // The only waiting place is free again each time.
            using var refused = await GetAsync("/api/work");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (refused.StatusCode, refused.Headers.RetryAfter?.ToString()));
        }

        _go.SetResult();
        Assert.All(await Task.WhenAll(taken), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/api/work")).StatusCode);
    }

    [Fact]
    public async Task Health_is_answered_while_everything_else_is_refused()
    {
        var taken = Enumerable.Range(0, 3).Select(_ => GetAsync("/api/work")).ToList();
        await Eventually.TrueAsync(() => _working == 2, TimeSpan.FromSeconds(20), "two requests are running");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/alive")).StatusCode);
        _go.SetResult();
        await Task.WhenAll(taken);
    }

    [Fact]
    public async Task A_request_that_waits_for_an_outcome_takes_no_place()
    {
        // One after the other: of many at the same time, some may be refused before they reach the point where they only wait.
        var waiting = new List<Task<HttpResponseMessage>>();
        while (waiting.Count < 10)
        {
            waiting.Add(GetAsync("/api/wait"));
            await Eventually.TrueAsync(() => _waiting == waiting.Count, TimeSpan.FromSeconds(20), "another request waits");
        }

        _go.SetResult();
        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
    }

    [Theory]
    [InlineData("0", "1", "00:00:01")]
    [InlineData("1", "-1", "00:00:01")]
    [InlineData("1", "1", "00:00:00")]
    [InlineData("1", "1", "100.00:00:00")]
    public async Task An_invalid_setting_is_named_at_the_start(string concurrent, string queued, string maxWait)
    {
        await DisposeAsync();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(maxWait, concurrent, queued));
        Assert.StartsWith("Admission:", refused.Message, StringComparison.Ordinal);
    }

    public Task InitializeAsync() => StartAsync(maxWait: "00:01:00");

    private async Task StartAsync(string maxWait, string concurrent = "2", string queued = "1")
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection([new("Admission:Concurrent", concurrent), new("Admission:Queued", queued), new("Admission:MaxWait", maxWait)]);
        builder.AddServiceDefaults(checksTokens: false);
        builder.Services.AddAuthentication();
        builder.Services.AddAuthorization();
        _app = builder.Build();
        _app.MapServiceDefaults();
        _app.UseAdmission();
        _app.MapGet("/api/work", async () =>
        {
            Interlocked.Increment(ref _working);
            await _go.Task;
        }).AllowAnonymous();
        _app.MapGet("/api/wait", async (HttpContext http) =>
        {
            http.LeaveAdmission();
            Interlocked.Increment(ref _waiting);
            await _go.Task;
        }).AllowAnonymous();
        await _app.StartAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private Task<HttpResponseMessage> GetAsync(string path) => s_client.GetAsync(new Uri(new(_app.Urls.First()), path));
}

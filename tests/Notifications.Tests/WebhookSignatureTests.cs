using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Domain;
using OrderInventory.Notifications.Tests.Support;

namespace OrderInventory.Notifications.Tests;

/// <summary>A receiver's checks, performed by a receiver that follows the documentation.</summary>
public sealed class WebhookSignatureTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
    private readonly string _secret = Webhook.NewSecret();
    private WebhookServer? _server;

    public async Task InitializeAsync() => _server = await WebhookServer.StartAsync();

    public async Task DisposeAsync() => await _server!.DisposeAsync();

    [Fact]
    public async Task A_delivery_is_accepted_within_five_minutes_and_once()
    {
        var receiver = new Receiver(_secret);
        var sent = await DeliverAsync();

        Assert.Equal("no signature of this secret", new Receiver(Webhook.NewSecret()).Check(sent, _time.GetUtcNow()));
        Assert.Equal("too old or too new", receiver.Check(sent, _time.GetUtcNow().AddSeconds(301)));
        Assert.Equal("too old or too new", receiver.Check(sent, _time.GetUtcNow().AddSeconds(-301)));
        Assert.Null(receiver.Check(sent, _time.GetUtcNow().AddSeconds(300)));
        Assert.Equal("seen before", receiver.Check(sent, _time.GetUtcNow()));
    }

    [Fact]
    public async Task Nothing_of_a_delivery_can_be_changed()
    {
        var sent = await DeliverAsync();
        var later = _time.GetUtcNow().AddHours(1);
        var headers = new Dictionary<string, string>(sent.Headers, StringComparer.OrdinalIgnoreCase);

        // An old request with a new time is a replay after the tolerance; its signature is for the old time.
        headers["Webhook-Timestamp"] = later.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        Assert.Equal("no signature of this secret", new Receiver(_secret).Check(sent with { Headers = headers }, later));
        headers = new(sent.Headers, StringComparer.OrdinalIgnoreCase) { ["Webhook-Id"] = Guid.CreateVersion7().ToString() };
        Assert.Equal("no signature of this secret", new Receiver(_secret).Check(sent with { Headers = headers }, _time.GetUtcNow()));
        Assert.Equal("no signature of this secret", new Receiver(_secret).Check(sent with { Body = sent.Body + " " }, _time.GetUtcNow()));
    }

    [Fact]
    public async Task Another_attempt_has_its_own_time_and_the_same_id()
    {
        var id = Guid.CreateVersion7();
        var first = await DeliverAsync(id);
        _time.Advance(TimeSpan.FromHours(1));
        var second = await DeliverAsync(id);

        Assert.Null(new Receiver(_secret).Check(second, _time.GetUtcNow()));
        Assert.Equal((first.Id, first.Body), (second.Id, second.Body));
        var receiver = new Receiver(_secret);
        Assert.Null(receiver.Check(first, _time.GetUtcNow().AddHours(-1)));
        Assert.Equal("seen before", receiver.Check(second, _time.GetUtcNow()));
    }

    private async Task<WebhookServer.Request> DeliverAsync(Guid? id = null)
    {
        using var channel = new WebhookChannel(Options.Create(new NotificationOptions { Webhooks = new() { AllowPrivateTargets = true } }), _time);
        var answer = await channel.PostAsync(new(_server!.Address + "/signed"), id ?? Guid.CreateVersion7(), """{"specversion":"1.0"}"""u8.ToArray(), [_secret]);
        Assert.True(answer.Taken);
        return _server.RequestsTo("/signed")[^1];
    }

    /// <summary>Implements docs/notifications.md, "What a receiver checks", with none of the sender's code.</summary>
    private sealed class Receiver(string secret)
    {
        private static readonly TimeSpan s_tolerance = TimeSpan.FromMinutes(5);
        private readonly HashSet<string> _seen = [];

        /// <summary>The problem found, or null.</summary>
        public string? Check(WebhookServer.Request request, DateTimeOffset now)
        {
            var (id, timestamp) = (request.Headers["Webhook-Id"], request.Headers["Webhook-Timestamp"]);
            var expected = HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), Encoding.UTF8.GetBytes($"{id}.{timestamp}.{request.Body}"));
            if (!request.Headers["Webhook-Signature"].Split(' ').Any(one =>
                one.StartsWith("v1,", StringComparison.Ordinal) && CryptographicOperations.FixedTimeEquals(Convert.FromBase64String(one[3..]), expected)))
            {
                return "no signature of this secret";
            }

            var age = now - DateTimeOffset.FromUnixTimeSeconds(long.Parse(timestamp, CultureInfo.InvariantCulture));
            return age.Duration() > s_tolerance ? "too old or too new" : _seen.Add(id) ? null : "seen before";
        }
    }
}

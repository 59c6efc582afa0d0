using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Options;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Http;
using OrderInventory.Notifications.Tests.Support;

namespace OrderInventory.Notifications.Tests;

/// <summary>A subscriber chooses where this service connects to, but cannot choose a neighbour of this service.</summary>
public sealed class WebhookTargetTests : IDisposable
{
    private readonly TcpListener _neighbour = new(IPAddress.IPv6Any, 0) { Server = { DualMode = true } };

    public WebhookTargetTests() => _neighbour.Start();

    private int Port => ((IPEndPoint)_neighbour.LocalEndpoint).Port;

    public void Dispose() => _neighbour.Dispose();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.1")]
    [InlineData("127.255.255.254")]
    [InlineData("2130706433")]
    [InlineData("0x7f000001")]
    [InlineData("0x7f.1")]
    [InlineData("0177.0.0.1")]
    [InlineData("017700000001")]
    [InlineData("0")]
    [InlineData("0.0.0.0")]
    [InlineData("10.1.2.3")]
    [InlineData("172.31.255.1")]
    [InlineData("192.168.1.1")]
    [InlineData("169.254.169.254")]
    [InlineData("100.64.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("[::1]")]
    [InlineData("[::]")]
    [InlineData("[0:0:0:0:0:0:0:1]")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("[::ffff:7f00:1]")]
    [InlineData("[::127.0.0.1]")]
    [InlineData("[::ffff:0:127.0.0.1]")]
    [InlineData("[64:ff9b::7f00:1]")]
    [InlineData("[2002:7f00:1::]")]
    [InlineData("[fe80::1]")]
    [InlineData("[fd00::1]")]
    [InlineData("[ff02::1]")]
    [InlineData("localhost")]
    [InlineData("LOCALHOST.")]
    [InlineData("a.localhost")]
    [InlineData("\uFF11\uFF12\uFF17.0.0.1")]
    [InlineData("\u2460\u2461\u2466.0.0.1")]
    public async Task No_spelling_of_a_private_address_is_accepted_or_connected_to(string host)
    {
        var url = $"http://{host}:{Port}/";

        // The resolver takes digits that are not ASCII for a name, and its result then decides.
        Assert.True(!Ascii.IsValid(host) || WebhookRules.Check(new(url, null, true), allowPrivateTargets: false).All.ContainsKey("$.url"));
        if (Uri.TryCreate(url, UriKind.Absolute, out var uri))
        {
            using var channel = Channel(allowPrivate: false);
            var answer = await channel.PostAsync(uri, Guid.CreateVersion7(), "{}"u8.ToArray(), ["secret"]);
            Assert.Null(answer.StatusCode);
            Assert.NotNull(answer.Error);
        }

        Assert.False(_neighbour.Pending());
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public async Task A_name_that_leads_to_a_private_address_is_not_connected_to(string address)
    {
        using var channel = Channel(allowPrivate: false, (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(address)]));

        Assert.Empty(WebhookRules.Check(new($"http://shop.example:{Port}/", null, true), allowPrivateTargets: false).All);
        var answer = await channel.PostAsync(new($"http://shop.example:{Port}/"), Guid.CreateVersion7(), "{}"u8.ToArray(), ["secret"]);

        Assert.Equal("The address is private, and private targets are not permitted.", answer.Error);
        Assert.False(_neighbour.Pending());
    }

    [Fact]
    public async Task A_name_is_resolved_once_and_what_was_checked_is_what_is_connected_to()
    {
        await using var server = await WebhookServer.StartAsync();
        var asked = 0;
        // A different answer the second time, like that of an attacker who wants to get past the check.
        using var channel = Channel(allowPrivate: true, (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(Interlocked.Increment(ref asked) == 1 ? "127.0.0.1" : "192.0.2.1")]));

        var answer = await channel.PostAsync(new($"http://shop.example:{new Uri(server.Address).Port}/once"), Guid.CreateVersion7(), "{}"u8.ToArray(), ["secret"]);

        Assert.Equal((204, 1), (answer.StatusCode, asked));
        var request = Assert.Single(server.RequestsTo("/once"));
        Assert.StartsWith("shop.example", request.Headers["Host"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("[2606:4700::1111]")]
    [InlineData("shop.example")]
    [InlineData("localhost.example")]
    public void Public_addresses_are_accepted(string host) =>
        Assert.Empty(WebhookRules.Check(new($"https://{host}/", null, true), allowPrivateTargets: false).All);

    private static WebhookChannel Channel(bool allowPrivate, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null) => new(
        Options.Create(new NotificationOptions { Webhooks = new() { AllowPrivateTargets = allowPrivate } }), TimeProvider.System, resolve);
}

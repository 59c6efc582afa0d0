using System.Net;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using OrderInventory.AppHost.Infrastructure;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>The system in containers, Aspire's usual mode. Skipped, with a message, where no container engine answers.</summary>
[Trait("Category", "Containers")]
public sealed class ContainersTests
{
    [ContainersFact]
    public async Task An_order_is_confirmed_and_its_mail_sent_and_Redis_comes_back()
    {
        await using var system = await AppHostRunner.StartAsync(["--Infrastructure:Mode=containers"]);
        await system.WaitUntilHealthyAsync("gateway");
        using var gateway = await system.CreateClientAsync();
        var shop = new Shop(gateway);
        var customer = await shop.CustomerAsync();
        await PlaceAsync();

        using var inbox = system.App.CreateHttpClient("mail-server", "http");
        await Eventually.TrueAsync(
            async () => (await inbox.GetStringAsync(new Uri("/api/v1/messages", UriKind.Relative))).Contains("\"Subject\"", StringComparison.Ordinal), TimeSpan.FromSeconds(60), "a mail in the inbox");

        await system.StopAsync("redis");
        await system.StartAsync("redis");

        await Eventually.TrueAsync(
            async () => (await gateway.GetAsync(new Uri("/health", UriKind.Relative))).StatusCode == HttpStatusCode.OK, TimeSpan.FromSeconds(60), "every service ready");
        await PlaceAsync();

        async Task PlaceAsync()
        {
            var (status, order) = await shop.PlaceAsync(customer, (await shop.ProductAsync(stock: 3), 3));
            Assert.Equal(HttpStatusCode.Created, status);
            await shop.WaitForStatusAsync((Guid)order["id"]!, "confirmed");
        }
    }
}

[AttributeUsage(AttributeTargets.Method)]
internal sealed class ContainersFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> s_answers = new(() => Task.Run(InfrastructureChoice.IsRuntimeHealthyAsync).GetAwaiter().GetResult());

    public ContainersFactAttribute() => Skip = s_answers.Value ? null : "No container engine is available (docker, or the one in ASPIRE_CONTAINER_RUNTIME).";
}

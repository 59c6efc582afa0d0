#pragma warning disable ASPIREINTERACTION001 // Arguments of commands are for evaluation in Aspire 13.
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>What Aspire's resource page, traces and commands show of the running system.</summary>
[Collection(SystemCollection.Name)]
public sealed class DashboardTests(SystemFixture system)
{
    [Fact]
    public async Task Every_resource_is_running_and_healthy()
    {
        foreach (var resource in system.Runner.App.Services.GetRequiredService<DistributedApplicationModel>().Resources.Where(resource => resource is not ParameterResource))
        {
            await Eventually.TrueAsync(
                () => system.Runner.App.ResourceNotifications.TryGetCurrentState(resource.Name, out var state)
                    && (state.Snapshot.IsHidden || (state.Snapshot.State?.Text == KnownResourceStates.Running && state.Snapshot.HealthStatus is HealthStatus.Healthy or null)),
                TimeSpan.FromSeconds(60),
                $"{resource.Name} running and healthy");
        }
    }

    [Fact]
    public async Task One_order_is_one_trace_and_the_commands_work()
    {
        var shop = new Shop(system.Gateway);
        var (customer, product) = (await shop.CustomerAsync(), await shop.ProductAsync(stock: 10));
        var (_, order) = await shop.PlaceAsync(customer, (product, 1));
        var trace = (string?)(await shop.GetAsync($"/api/orders/{order["id"]}/timeline"))["items"]!.AsArray().First(item => item!["traceId"] is not null)!["traceId"];

        using var telemetry = await DashboardTelemetry.ConnectAsync(system.Runner.App);
        string[] services = ["gateway", "orders", "inventory", "notifications"];
        await Eventually.TrueAsync(
            async () => (await telemetry.SpansAsync(trace!)).Select(span => span.Service).Intersect(services).Count() == services.Length,
            TimeSpan.FromSeconds(60),
            "every service in the order's trace");

        var commands = system.Runner.App.ResourceCommands;
        var placed = await commands.ExecuteCommandAsync("gateway", "place-orders", new InteractionInputCollection([new() { Name = "count", InputType = InputType.Number, Value = "3" }]));
        Assert.True(placed.Success, placed.Message);
        Assert.Matches("[1-3] confirmed", placed.Message);
        var refused = await commands.ExecuteCommandAsync("gateway", "place-orders", new InteractionInputCollection([new() { Name = "count", InputType = InputType.Number, Value = "-3" }]));
        Assert.False(refused.Success);
        var reconciled = await commands.ExecuteCommandAsync("inventory", "reconcile");
        Assert.True(reconciled.Success, reconciled.Message + reconciled.Data?.Value);
        var replayed = await commands.ExecuteCommandAsync("orders", "replay-dead-letters");
        Assert.True(replayed.Success, replayed.Message);
    }
}

using OrderInventory.TestSupport;

namespace OrderInventory.Orders.Tests;

/// <summary>One service for all tests of a class: starting one takes longer than most tests.</summary>
public sealed class SharedOrders(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    internal OrdersApp App { get; private set; } = null!;

    public async Task InitializeAsync() => App = await OrdersApp.StartAsync(infrastructure);

    public async Task DisposeAsync() => await App.DisposeAsync();

    /// <summary>Leaves no orders, and other services that answer and have no data.</summary>
    public async Task EmptyAsync()
    {
        App.Neighbours.Reset();
        await App.ExecuteAsync("TRUNCATE orders, order_lines, order_history, idempotency_keys, dead_letters");
    }
}

/// <summary>Tests that share one service and each begin without orders.</summary>
public abstract class NoOrdersTests(SharedOrders shared) : IAsyncLifetime
{
    public Task InitializeAsync() => shared.EmptyAsync();

    public Task DisposeAsync() => Task.CompletedTask;
}

using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>One service for all tests of a class: starting one takes longer than most tests.</summary>
public class SharedInventory(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    internal InventoryApp App { get; private set; } = null!;

    protected virtual (string Name, string Value)[] Settings => [];

    public async Task InitializeAsync() => App = await InventoryApp.StartAsync(infrastructure, Settings);

    public async Task DisposeAsync() => await App.DisposeAsync();

    /// <summary>Leaves no stock and only the default location, as in a new database.</summary>
    public Task EmptyAsync() => App.QueryAsync<string>(
        """
        TRUNCATE stock_levels, stock_movements, stock_balances, reservations, holds, hold_lines, product_copies, dead_letters;
        DELETE FROM locations WHERE code <> 'default';
        UPDATE locations SET name = 'Default', priority = 0, active = true, version = 1 RETURNING code;
        """);
}

/// <summary>Tests that share one service and each begin with empty stock.</summary>
public abstract class EmptyInventoryTests(SharedInventory shared) : IAsyncLifetime
{
    public Task InitializeAsync() => shared.EmptyAsync();

    public Task DisposeAsync() => Task.CompletedTask;
}

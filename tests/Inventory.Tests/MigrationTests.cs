using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using OrderInventory.Inventory.Data;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Databases that an older version has left.</summary>
[Collection(InventoryCollection.Name)]
public sealed class MigrationTests(InfrastructureFixture infrastructure)
{
    [Fact]
    public async Task What_was_shipped_before_returns_had_versions_takes_none_of_them_back_twice()
    {
        await using var database = new InventoryDb(
            new DbContextOptionsBuilder<InventoryDb>().UseNpgsql(await infrastructure.CreateDatabaseAsync("inventory")).UseSnakeCaseNamingConvention().Options);
        var migrator = database.GetService<IMigrator>();
        await migrator.MigrateAsync("Initial");
        var (reserved, shipped) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await database.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO reservations (order_id, order_version, outcome, lines, shortages, decided_at, shipped)
             VALUES ({reserved}, 1, 'reserved', '[]', '[]', now(), NULL), ({shipped}, 3, 'shipped', '[]', '[]', now(), '[]')
             """);
        await migrator.MigrateAsync();
        Assert.Equal(
            [null, "[1, 2, 3]"],
            await database.Database.SqlQuery<string?>($"SELECT returned_versions::text AS \"Value\" FROM reservations ORDER BY order_version").ToListAsync());
    }
}

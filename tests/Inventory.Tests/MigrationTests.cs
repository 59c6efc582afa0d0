using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>Databases left by an older version.</summary>
[Collection(InventoryCollection.Name)]
public sealed class MigrationTests(InfrastructureFixture infrastructure)
{
    [Fact]
    public async Task Levels_of_the_previous_version_continue_after_their_ledger_and_can_be_locked()
    {
        await using var database = new InventoryDb(
            new DbContextOptionsBuilder<InventoryDb>().UseNpgsql(await infrastructure.CreateDatabaseAsync("inventory")).UseSnakeCaseNamingConvention().Options);
        var migrator = database.GetService<IMigrator>();
        await migrator.MigrateAsync("ReturnedVersions");
        Guid[] products = [.. Enumerable.Range(0, 2).Select(_ => Guid.CreateVersion7()).Order()];
        var (behind, ahead, hold) = (products[0], products[1], Guid.CreateVersion7());
        await database.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO stock_levels (product_id, location, on_hand, reserved, low_stock_threshold, version, updated_at)
             VALUES ({behind}, 'default', 5, 2, 3, 4, '2026-11-01T10:00:00Z'), ({behind}, 'attic', 1, 0, 3, 1, '2026-11-01T12:00:00Z'),
                    ({ahead}, 'default', 7, 0, 0, 1, '2026-11-03T10:00:00Z');
             INSERT INTO stock_movements (product_id, id, location, kind, on_hand_delta, reserved_delta, occurred_at)
             VALUES ({behind}, gen_random_uuid(), 'default', 'set', 5, 0, '2026-11-01T09:00:00Z'), ({behind}, gen_random_uuid(), 'default', 'held', 0, 2, '2026-11-02T10:00:00Z'),
                    ({behind}, gen_random_uuid(), 'attic', 'set', 1, 0, '2026-11-01T12:00:00Z'), ({ahead}, gen_random_uuid(), 'default', 'set', 7, 0, '2026-11-01T10:00:00Z');
             INSERT INTO holds (id, status, expires_at, version, lines, created_at, updated_at) VALUES ({hold}, 'live', now() + interval '1 hour', 1, '[]', now(), now());
             INSERT INTO hold_lines (hold_id, product_id, location, quantity) VALUES ({hold}, {behind}, 'default', 2);
             """);

        await migrator.MigrateAsync();
        Assert.Equal(
            ["5/2 2026-11-02 10:00:00.001 f", "1/0 2026-11-02 10:00:00.001 f", "7/0 2026-11-03 10:00:00.000 f"],
            await database.Database.SqlQuery<string>(
                $"""
                 SELECT on_hand || '/' || reserved || ' ' || to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS') || ' ' || left(removed::text, 1) AS "Value"
                 FROM stock_levels ORDER BY product_id, location DESC
                 """).ToListAsync());
        Assert.Empty(await database.ProductCopies.ToListAsync());
        // The hold's product is locked too, although only the hold is named.
        Assert.Equal(3, await database.Database.SqlQuery<int>($"SELECT count(*)::int AS \"Value\" FROM lock_stock(ARRAY[{ahead}], ARRAY[{hold}])").SingleAsync());

        await migrator.MigrateAsync("ReturnedVersions");
        Assert.Equal(13, await database.Database.SqlQuery<int>($"SELECT sum(on_hand)::int AS \"Value\" FROM stock_levels").SingleAsync());
    }

    // As in a service: the statement is prepared on a connection that stays open. Fails when such a session can no longer lock stock, because
    // then whole batches of events are set aside.
    [Fact]
    public async Task Stock_is_locked_while_a_later_migration_adds_and_drops_a_column()
    {
        var connectionString = await infrastructure.CopyDatabaseAsync<InventoryDb>("inventory");
        var settings = ServiceDatabaseExtensions.ConnectionString(connectionString);
        settings.MaxPoolSize = 1;
        await using var service = NpgsqlDataSource.Create(settings);
        await using var migration = NpgsqlDataSource.Create(connectionString);
        var product = Guid.CreateVersion7();
        await using (var insert = migration.CreateCommand(
            "INSERT INTO stock_levels (product_id, location, on_hand, reserved, low_stock_threshold, version, updated_at) VALUES ($1, 'default', 5, 2, 3, 4, now())"))
        {
            insert.Parameters.Add(new() { Value = product });
            await insert.ExecuteNonQueryAsync();
        }

        var loader = new StockLoader(new InventoryOptions(), TimeProvider.System);
        foreach (var change in (string[])["SELECT 1", "ALTER TABLE stock_levels ADD COLUMN next integer NOT NULL DEFAULT 0", "ALTER TABLE stock_levels DROP COLUMN next"])
        {
            await using (var command = migration.CreateCommand(change))
            {
                await command.ExecuteNonQueryAsync();
            }

            for (var again = 0; again < 4; again++)
            {
                await using var connection = await service.OpenConnectionAsync();
                await using var transaction = await connection.BeginTransactionAsync();
                var stock = await loader.LoadAsync(connection, StockScope.ToChange(product), CancellationToken.None);
                Assert.Equal(5, stock.Item(product)?.OnHand);
                await transaction.CommitAsync();
            }
        }
    }

    [Fact]
    public async Task Orders_shipped_before_returns_had_versions_take_no_return_twice()
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

    [Fact]
    public async Task Free_text_is_removed_from_old_dead_letters_and_nothing_else()
    {
        await using var database = new InventoryDb(
            new DbContextOptionsBuilder<InventoryDb>().UseNpgsql(await infrastructure.CreateDatabaseAsync("inventory")).UseSnakeCaseNamingConvention().Options);
        var migrator = database.GetService<IMigrator>();
        await migrator.MigrateAsync("LockStock");
        (string Topic, byte[] Payload)[] letters =
        [
            ("order.updated", """{"status": "cancelPending", "reason": "Maria has moved", "total": {"amount": 18.00}}"""u8.ToArray()),
            ("order.updated", """{"status": "expired", "reason": "timeout"}"""u8.ToArray()),
            ("order.updated", """{"status": "shipped", "reason": null}"""u8.ToArray()),
            ("order.updated", """{"status": "cancelPending", "reason": "a\u0000b"}"""u8.ToArray()),
            ("order.updated", [0xFF, 0xFE]),
            ("order.updated", "[]"u8.ToArray()),
            ("order.updated", []),
            ("product.updated", """{"reason": "not an order's"}"""u8.ToArray()),
        ];
        foreach (var (offset, (topic, payload)) in letters.Index())
        {
            await database.Database.ExecuteSqlAsync(
                $"""
                 INSERT INTO dead_letters (id, topic, partition, "offset", key, reason, attempts, created_at, headers, payload)
                 VALUES (gen_random_uuid(), {topic}, 0, {offset}, 'k', 'why', 1, now(), '[]', {payload})
                 """);
        }

        await migrator.MigrateAsync();

        var after = await database.Database.SqlQuery<byte[]>($"SELECT payload AS \"Value\" FROM dead_letters ORDER BY \"offset\"").ToListAsync();
        Assert.Equal("""{"total": {"amount": 18.00}, "reason": null, "status": "cancelPending"}""", Encoding.UTF8.GetString(after[0]));
        Assert.Equal(letters[1..].Select(letter => letter.Payload), after[1..]);
    }
}

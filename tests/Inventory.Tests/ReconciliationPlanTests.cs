using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using OrderInventory.Inventory.Features;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Inventory.Tests;

/// <summary>How many rows the reconciliation report reads, according to the query plans of its statement.</summary>
[Collection(InventoryCollection.Name)]
public sealed class ReconciliationPlanTests(SharedInventory shared) : EmptyInventoryTests(shared), IClassFixture<SharedInventory>
{
    private readonly InventoryApp _app = shared.App;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_report_reads_neither_old_movements_nor_reservations_that_hold_nothing(bool named)
    {
        const int Products = 3;
        var products = new List<Guid>();
        for (var i = 0; i < Products; i++)
        {
            products.Add(await _app.StockAsync(10));
        }

        await _app.QueryAsync<long>(
            """
            WITH w AS (
                INSERT INTO stock_movements (product_id, id, location, kind, on_hand_delta, reserved_delta, occurred_at)
                SELECT p, (substr(f, 1, 14) || '7' || substr(f, 16, 9) || lpad(to_hex(n), 12, '0'))::uuid, 'default', 'adjusted', n % 2 * 2 - 1, 0, now() - interval '3 days'
                FROM unnest($1) AS p, generate_series(1, 1000) AS n, (SELECT $2::text AS f) AS i RETURNING 1),
            r AS (
                INSERT INTO reservations (order_id, order_version, outcome, lines, shortages, decided_at)
                SELECT gen_random_uuid(), 2, 'released', '[]', '[]', now() FROM generate_series(1, 1000) RETURNING 1)
            SELECT (SELECT count(*) FROM w) + (SELECT count(*) FROM r)
            """,
            products.ToArray(), DatabaseValues.FirstIdOf(TimeProvider.System.GetUtcNow().AddDays(-3).ToUnixTimeMilliseconds()));
        await _app.Services.GetServices<IHostedService>().OfType<CloseLedger>().Single().CloseAsync(TimeProvider.System.GetUtcNow().AddDays(-1), CancellationToken.None);
        Assert.Equal(Products, await _app.QueryAsync<long>("SELECT count(*) FROM stock_movements m JOIN stock_balances b USING (product_id, location) WHERE m.id > b.last_movement_id"));

        var read = await CountReadRowsAsync(named, full: false, [.. products]);
        // Per product, the one younger movement and one row to find the product by. The plan gives rounded averages, so it may be a few more.
        Assert.InRange(read["stock_movements"], Products, 4 * Products);
        Assert.Equal(0, read.GetValueOrDefault("reservations"));
        // The full report shows that the measurement works.
        Assert.True((await CountReadRowsAsync(named, full: true, [.. products]))["stock_movements"] > 1000 * Products);
    }

    /// <summary>How many rows of each table the report's statement reads, as the service's connections plan it.</summary>
    private async Task<Dictionary<string, long>> CountReadRowsAsync(bool named, bool full, Guid[] products)
    {
        await using var service = NpgsqlDataSource.Create(ServiceDatabaseExtensions.ConnectionString(_app.ConnectionString));
        await using var explain = service.CreateCommand($"EXPLAIN (ANALYZE, FORMAT JSON) {ReconcileStock.Sql(named, full)}");
        explain.Parameters.Add(new() { Value = Guid.Empty });
        explain.Parameters.Add(new() { Value = 100 });
        if (named)
        {
            explain.Parameters.Add(new() { Value = products });
        }

        using var plan = JsonDocument.Parse((string)(await explain.ExecuteScalarAsync())!);
        var read = new Dictionary<string, long>();
        Visit(plan.RootElement[0].GetProperty("Plan"));
        return read;

        void Visit(JsonElement node)
        {
            if (node.TryGetProperty("Relation Name", out var table))
            {
                // Averages over all loops; PostgreSQL 18 no longer rounds them.
                var rows = node.GetProperty("Actual Rows").GetDouble() + (node.TryGetProperty("Rows Removed by Filter", out var removed) ? removed.GetDouble() : 0);
                read[table.GetString()!] = read.GetValueOrDefault(table.GetString()!) + (long)Math.Round(rows * node.GetProperty("Actual Loops").GetInt64());
            }

            if (node.TryGetProperty("Plans", out var children))
            {
                foreach (var child in children.EnumerateArray())
                {
                    Visit(child);
                }
            }
        }
    }
}

using Microsoft.Extensions.DependencyInjection;
using OrderInventory.Inventory.Data;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.TestSupport;

namespace OrderInventory.Inventory.Tests;

/// <summary>What is deleted because of its age, and what never is.</summary>
[Collection(InventoryCollection.Name)]
public sealed class RetentionTests(InfrastructureFixture infrastructure) : IAsyncLifetime
{
    private InventoryApp _app = null!;

    public async Task InitializeAsync() => _app = await InventoryApp.StartAsync(infrastructure, ("Inventory:HoldSweep", "1.00:00:00"));

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private Task CleanAsync<TCleaner>(string countOld)
        where TCleaner : OldRowsCleaner => Rounds.RunUntilAsync(
            time => ActivatorUtilities.CreateInstance<TCleaner>(_app.Services, time),
            async () => await _app.QueryAsync<long>(countOld) == 0,
            "what is old is forgotten");

    [Fact]
    public async Task A_hold_is_deleted_a_week_after_its_end_and_a_live_one_never()
    {
        async Task MakeAsync(string name, string status, double madeDaysAgo, double endedDaysAgo) => await _app.QueryAsync<Guid>(
            """
            INSERT INTO holds (id, status, expires_at, version, lines, created_at, updated_at)
            VALUES ($1, $2, now() - $4 * interval '1 day', 1, jsonb_build_array($3), now() - $5 * interval '1 day', now()) RETURNING id
            """,
            Guid.CreateVersion7(TimeProvider.System.GetUtcNow().AddDays(-madeDaysAgo)), status, name, endedDaysAgo, madeDaysAgo);

        await MakeAsync("old, expired", "expired", 7.2, 7.1);
        await MakeAsync("old, released", "released", 30, 29);
        await MakeAsync("old, consumed", "consumed", 30, 8);
        // A hold that was extended for long, holds that ended recently, and one whose units the levels do not have: that one waits for an operator.
        await MakeAsync("live", "live", 30, -1);
        await MakeAsync("ended lately", "expired", 30, 6.9);
        await MakeAsync("new", "expired", 1, 0.5);
        await MakeAsync("stuck", "live", 30, 29);

        await CleanAsync<HoldCleaner>("SELECT count(*) FROM holds WHERE lines ->> 0 LIKE 'old%'");
        Assert.Equal(
            ["ended lately", "live", "new", "stuck"],
            await _app.QueryAsync<string[]>("SELECT array_agg(lines ->> 0 ORDER BY lines ->> 0) FROM holds"));
    }

    [Fact]
    public async Task An_idempotency_key_is_kept_for_24_hours()
    {
        await _app.QueryAsync<long>(
            """
            WITH made AS (
                INSERT INTO idempotency_keys (caller, key, fingerprint, resource_id, created_at)
                SELECT 'anonymous', name, '', gen_random_uuid(), now() - age
                FROM (VALUES ('old', interval '24 hours 1 minute'), ('older', interval '9 days'), ('kept', interval '23 hours 58 minutes'), ('new', interval '0'))
                    AS k (name, age) RETURNING 1)
            SELECT count(*) FROM made
            """);
        await CleanAsync<IdempotencyCleaner>("SELECT count(*) FROM idempotency_keys WHERE key LIKE 'old%'");
        Assert.Equal(["kept", "new"], await _app.QueryAsync<string[]>("SELECT array_agg(key ORDER BY key) FROM idempotency_keys"));
    }
}

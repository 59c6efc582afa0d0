using System.Text;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using OrderInventory.Messaging.Inbox;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>After a transient PostgreSQL error the whole batch is repeated: one effect, no dead letter, in order.</summary>
[Collection(InfrastructureCollection.Name)]
public class DatabaseFaultTests(InfrastructureFixture infrastructure)
{
    public static TheoryData<string> ToBeRepeated => ["40001", "40P01", "57P01", "57P02", "57014", "25006", "53300", "23505"];

    // Fails when one of these errors makes a dead letter of an event that would have succeeded a moment later.
    [Theory]
    [MemberData(nameof(ToBeRepeated))]
    public async Task A_batch_is_repeated_after(string sqlState)
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var failures = 0;
        var service = await bed.StartAsync(async (_, batch, stop) =>
        {
            if (Interlocked.Increment(ref failures) <= 2)
            {
                await ExecuteAsync(await batch.GetConnectionAsync(stop), $"DO $$ BEGIN RAISE EXCEPTION 'made by a test' USING ERRCODE = '{sqlState}'; END $$", stop);
            }
        });
        await AssertOneEffectEachAsync(bed, service);
    }

    // Fails when only an error thrown by Npgsql itself is recognized: EF Core, which a handler may read or write with, wraps it.
    [Fact]
    public async Task A_batch_is_repeated_after_an_error_that_EF_Core_has_wrapped()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var failures = 0;
        var service = await bed.StartAsync(async (_, batch, stop) =>
        {
            if (Interlocked.Increment(ref failures) <= 2)
            {
                await using var db = new ThingsDb(new DbContextOptionsBuilder<ThingsDb>().UseNpgsql(await batch.GetConnectionAsync(stop)).Options);
                await db.Database.UseTransactionAsync(batch.Writes.Transaction, stop);
                try
                {
                    await db.Database.ExecuteSqlRawAsync("DO $$ BEGIN RAISE EXCEPTION 'made by a test' USING ERRCODE = '40001'; END $$", stop);
                }
                catch (PostgresException exception)
                {
                    throw new DbUpdateException("As SaveChanges throws it.", exception);
                }
            }
        });
        await AssertOneEffectEachAsync(bed, service);
    }

    // Fails when the lost connection is used again.
    [Fact]
    public async Task A_batch_is_repeated_when_its_connection_is_cut()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var cuts = 0;
        var service = await bed.StartAsync(async (_, batch, stop) =>
        {
            if (Interlocked.Increment(ref cuts) <= 2)
            {
                await bed.ExecuteAsync("SELECT pg_terminate_backend($1)", (await batch.GetConnectionAsync(stop)).ProcessID);
                await ExecuteAsync(await batch.GetConnectionAsync(stop), "SELECT 1", stop);
            }
        });
        await AssertOneEffectEachAsync(bed, service);
    }

    // Fails when the batch that PostgreSQL has chosen as the deadlock victim is not run again.
    [Fact]
    public async Task A_batch_is_repeated_after_a_real_deadlock()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var hasFirstLock = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        var service = await bed.StartAsync(async (_, batch, stop) =>
        {
            await ExecuteAsync(await batch.GetConnectionAsync(stop), "SELECT pg_advisory_xact_lock(1)", stop);
            hasFirstLock.TrySetResult();
            await goOn.Task;
            await ExecuteAsync(await batch.GetConnectionAsync(stop), "SELECT pg_advisory_xact_lock(2)", stop);
        });
        await using var connection = await bed.Database.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            // This connection checks for a deadlock later than the service's connection, which therefore is the one that fails.
            await ExecuteAsync(connection, "SET LOCAL deadlock_timeout = '1min'", CancellationToken.None);
            await ExecuteAsync(connection, "SELECT pg_advisory_xact_lock(2)", CancellationToken.None);
            var processed = AssertOneEffectEachAsync(bed, service);
            await hasFirstLock.Task.WaitAsync(TestBed.Timeout);
            goOn.SetResult();
            await ExecuteAsync(connection, "SELECT pg_advisory_xact_lock(1)", CancellationToken.None);
            await transaction.CommitAsync();
            await processed;
        }
    }

    // Fails when an event that cannot be set aside ends the consumer, and with it the service, or is skipped.
    [Fact]
    public async Task A_consumer_that_cannot_write_a_dead_letter_continues_when_it_can()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        await bed.ExecuteAsync("ALTER TABLE dead_letters RENAME TO away");
        var key = Guid.CreateVersion7();
        await bed.Kafka.PublishAsync(bed.Changed.Topic, Encoding.UTF8.GetBytes(key.ToString()), "not json"u8.ToArray(), [], partition: 0);
        await bed.SendAsync(new(key, 1, ""), partition: 0);
        await Eventually.TrueAsync(() => service.Log.Lines.Any(line => line.Contains("The consumer restarts", StringComparison.Ordinal)), TestBed.Timeout, "the consumer restarts");
        await bed.ExecuteAsync("ALTER TABLE away RENAME TO dead_letters");

        await bed.AppliedAsync(key, 1);
        Assert.Equal(1, await bed.DeadLettersAsync());
    }

    // Fails when a permanent unique violation is retried forever, and the partition stops.
    [Fact]
    public async Task A_unique_violation_that_stays_becomes_a_dead_letter()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync(async (events, batch, stop) =>
        {
            if (events.Any(e => ((ThingChanged)e.Data).Text == "twin"))
            {
                await ExecuteAsync(await batch.GetConnectionAsync(stop), "DO $$ BEGIN RAISE unique_violation; END $$", stop);
            }
        });
        var key = Guid.CreateVersion7();

        await service.ProcessAsync(bed.Record(new(key, 1, ""), offset: 1), bed.Record(new(key, 2, "twin"), offset: 2), bed.Record(new(key, 3, ""), offset: 3));

        Assert.Equal([1, 3], (await bed.EffectsAsync()).Select(effect => effect.Version));
        Assert.Equal(1, await bed.DeadLettersAsync());
    }

    // Fails when an event, an outbox row or a following event is lost, duplicated or given up while PostgreSQL is killed and started.
    [Fact]
    public async Task PostgreSQL_killed_under_load_loses_and_duplicates_nothing()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.StartAsync();
        var keys = Enumerable.Range(0, 20).Select(_ => Guid.CreateVersion7()).ToList();
        await SendAsync(1, 5);
        await bed.AppliedAsync(20);

        await infrastructure.Runner.KillAsync("postgres");
        await SendAsync(6, 10);
        await infrastructure.Runner.StartAsync("postgres");
        await SendAsync(11, 12);

        var effects = await bed.AppliedAsync(240);
        await bed.OutboxIsEmptyAsync();
        Assert.All(keys, key => Assert.Equal(
            Enumerable.Range(1, 12).Select(version => (long)version), effects.Where(effect => effect.Key == key).Select(effect => effect.Version)));
        Assert.Equal(240, (await bed.FirstOccurrencesAsync(bed.Noted.Topic)).Count);
        Assert.Equal(0, await bed.DeadLettersAsync());

        async Task SendAsync(int from, int to)
        {
            for (var version = from; version <= to; version++)
            {
                await Task.WhenAll(keys.Select(key => bed.SendAsync(new(key, version, ""))));
            }
        }
    }

    private static async Task AssertOneEffectEachAsync(TestBed bed, TestService service)
    {
        var key = Guid.CreateVersion7();
        await service.ProcessAsync([.. Enumerable.Range(1, 3).Select(i => bed.Record(new(key, i, ""), offset: i))]).WaitAsync(TestBed.Timeout);

        Assert.Equal([1, 2, 3], (await bed.EffectsAsync()).Select(effect => effect.Version));
        Assert.Equal(0, await bed.DeadLettersAsync());
        // As a whole: handling events one by one costs a commit each and is only for errors of a single event.
        Assert.Contains(service.Log.Lines, line => line.Contains("A batch is repeated", StringComparison.Ordinal));
        Assert.DoesNotContain(service.Log.Lines, line => line.Contains("one by one", StringComparison.Ordinal));
        await bed.OutboxIsEmptyAsync();
        Assert.Equal([1L, 2, 3], (await bed.FirstOccurrencesAsync(bed.Noted.Topic)).Select(e => e.Version));
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

using System.Text;
using Npgsql;
using OrderInventory.Messaging.Inbox;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>Each event takes effect once, however often and in whatever way it arrives.</summary>
[Collection(InfrastructureCollection.Name)]
public class InboxTests(InfrastructureFixture infrastructure)
{
    // Fails when events are distinguished by their offset.
    [Fact]
    public async Task A_repeated_event_has_one_effect()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.StartAsync();
        var (key, id) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await bed.SendAsync(new(key, 1, ""), id);
        await bed.AppliedAsync(key, 1);

        await bed.SendAsync(new(key, 1, ""), id);
        await bed.SendAsync(new(key, 2, ""));

        await bed.AppliedAsync(key, 2);
        Assert.Equal([1, 2], (await bed.EffectsAsync()).Select(effect => effect.Version));
        Assert.Equal(2, (await bed.Kafka.ReadAsync(bed.Noted.Topic, atLeast: 2)).Count);
    }

    // Fails when a group begins at the end of its topics: a new or renamed service would miss all earlier events.
    [Fact]
    public async Task A_new_consumer_group_reads_the_events_from_before_its_start()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var key = Guid.CreateVersion7();
        await bed.SendAsync(new(key, 1, ""));
        await bed.StartAsync();
        await bed.AppliedAsync(key, 1);
    }

    // Fails when a batch asks the inbox which of its events are new, but does not check whether it contains one twice.
    [Fact]
    public async Task An_event_that_is_in_a_batch_twice_has_one_effect()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        var (key, id) = (Guid.CreateVersion7(), Guid.CreateVersion7());

        await service.ProcessAsync(
            bed.Record(new(key, 1, ""), id, offset: 5), bed.Record(new(key, 2, ""), offset: 6), bed.Record(new(key, 1, ""), id, offset: 7));

        Assert.Equal([1, 2], (await bed.EffectsAsync()).Select(effect => effect.Version));
        Assert.Equal(2, service.Handler.Handled);
    }

    // Fails when two replicas that have the same event at the same moment both find it unhandled.
    [Fact]
    public async Task An_event_that_two_replicas_handle_at_the_same_time_has_one_effect()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var inside = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        var slow = await bed.StartAsync((_, _, _) =>
        {
            inside.TrySetResult();
            return goOn.Task;
        });
        var other = await bed.StartAsync();
        var (key, id) = (Guid.CreateVersion7(), Guid.CreateVersion7());

        var first = slow.ProcessAsync(bed.Record(new(key, 1, ""), id), bed.Record(new(key, 2, "")));
        await inside.Task.WaitAsync(TestBed.Timeout);
        await other.ProcessAsync(bed.Record(new(key, 1, ""), id));
        goOn.SetResult();
        await first.WaitAsync(TestBed.Timeout);

        // The first replica's work on the shared event is undone, and the other event of its batch is not lost.
        Assert.Equal([1, 2], (await bed.EffectsAsync()).Select(effect => effect.Version));
        Assert.Equal(2, (await bed.Kafka.ReadAsync(bed.Noted.Topic, atLeast: 2)).Count);
    }

    // Fails when the second of two transactions with the same event does not wait for the outcome of the first.
    [Fact]
    public async Task An_event_whose_first_transaction_is_still_open_waits_for_its_outcome()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        var (key, id) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await using var connection = await bed.Database.OpenConnectionAsync();
        await using var open = await connection.BeginTransactionAsync();
        await using (var insert = new NpgsqlCommand("INSERT INTO inbox_messages (id, handled_at) VALUES ($1, now())", connection) { Parameters = { new() { Value = id } } })
        {
            await insert.ExecuteNonQueryAsync();
        }

        var second = service.ProcessAsync(bed.Record(new(key, 1, ""), id));
        await Eventually.TrueAsync(
            async () => await bed.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0,
            TestBed.Timeout, "The second transaction waiting for the first");
        await open.CommitAsync();
        await second.WaitAsync(TestBed.Timeout);

        Assert.Empty(await bed.EffectsAsync());
    }

    // Fails when an event that was handled before is set aside because its handler fails on its own earlier work.
    [Fact]
    public async Task A_repeated_event_does_not_become_a_dead_letter_when_its_handler_throws()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync((_, _, _) => throw new InvalidOperationException("It is there already."));
        var (key, id) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await bed.ExecuteAsync($"INSERT INTO inbox_messages (id, handled_at) VALUES ('{id}', now())");

        await service.ProcessAsync(bed.Record(new(key, 1, ""), id));

        Assert.Equal(0, await bed.DeadLettersAsync());
    }

    // Documents the limit: after Messaging:InboxRetention only the handler's own guard (the aggregate's version, a unique key) is left.
    // Fails when the inbox drops an event that it has no row of.
    [Fact]
    public async Task An_event_without_its_inbox_row_reaches_the_handler_again()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.StartAsync();
        var (key, id) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await bed.SendAsync(new(key, 1, ""), id);
        await bed.AppliedAsync(key, 1);
        Assert.Equal(1, await bed.ExecuteAsync("DELETE FROM inbox_messages"));

        await bed.SendAsync(new(key, 1, ""), id);

        Assert.Equal(2, (await bed.AppliedAsync(2)).Count);
    }

    // Fails when an event that no handler wants costs a row, or stops the partition.
    [Fact]
    public async Task Only_events_that_concern_the_service_cost_an_inbox_row()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        var key = Guid.CreateVersion7();
        var bytes = Encoding.UTF8.GetBytes(key.ToString());
        await bed.SendAsync(new(key, 1, ThingChanged.OfNoConcern));
        await bed.Kafka.PublishAsync(bed.Changed.Topic, bytes, "not even JSON"u8.ToArray(), RawKafka.CloudEvent("thing.changed.v2", Guid.CreateVersion7(), key.ToString(), 2));
        await bed.SendAsync(new(key, 3, ""));

        await bed.AppliedAsync(key, 3);
        Assert.Single(await bed.EffectsAsync());
        Assert.Equal(1, await bed.ScalarAsync<long>("SELECT count(*) FROM inbox_messages"));
        Assert.Equal(0, await bed.DeadLettersAsync());
        Assert.Equal(1, service.Handler.Handled);
    }

    // Fails when only offsets protect from duplicates: they are committed after the transaction, and a crash between the two loses them.
    [Fact]
    public async Task A_crash_between_the_commit_and_the_offset_has_one_effect()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        var keys = Enumerable.Range(0, 10).Select(_ => Guid.CreateVersion7()).ToList();
        foreach (var key in keys)
        {
            await bed.SendAsync(new(key, 1, ""));
        }

        await bed.AppliedAsync(10);
        await bed.StopAsync(service);

        // The same database, but a group without offsets: it reads from the beginning, as if none had been committed.
        service = await bed.StartAsync(("Messaging:Group", $"{bed.Group}-again"));
        foreach (var key in keys)
        {
            await bed.SendAsync(new(key, 2, ""));
        }

        var effects = await bed.AppliedAsync(20);
        Assert.All(keys, key => Assert.Equal([1, 2], effects.Where(effect => effect.Key == key).Select(effect => effect.Version)));
    }

    // Fails when one bad event makes the others of its batch fail, or changes their order.
    [Fact]
    public async Task An_event_that_fails_alone_becomes_a_dead_letter_and_the_rest_of_its_batch_is_applied()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync((events, _, _) =>
            events.Any(e => ((ThingChanged)e.Data).Text == "bad") ? throw new InvalidOperationException("This one is bad.") : Task.CompletedTask);
        var (key, bad) = (Guid.CreateVersion7(), Guid.CreateVersion7());

        await service.ProcessAsync([.. Enumerable.Range(1, 6).Select(i => i == 3
            ? bed.Record(new(key, i, "bad"), bad, offset: i)
            : bed.Record(new(key, i, "good"), offset: i))]);

        Assert.Equal([1, 2, 4, 5, 6], (await bed.EffectsAsync()).Select(effect => effect.Version));
        var letter = Assert.Single((await DeadLetterApi.ListAsync(service.Client)).Items);
        Assert.Equal((bed.Changed.Topic, 0, 3L, key.ToString(), bad, 1), (letter.Topic, letter.Partition, letter.Offset, letter.Key, letter.EventId, letter.Attempts));
        Assert.Equal("InvalidOperationException: This one is bad.", letter.Reason);
        Assert.Equal(5, await bed.ScalarAsync<long>("SELECT count(*) FROM inbox_messages"));
        await bed.OutboxIsEmptyAsync();
        Assert.Equal([1L, 2, 4, 5, 6], (await bed.FirstOccurrencesAsync(bed.Noted.Topic)).Select(e => e.Version));
    }

    // Fails when an error after the commit is treated as one before it.
    [Fact]
    public async Task A_failure_after_the_commit_changes_nothing()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync((_, batch, _) =>
        {
            batch.AfterCommit(() => throw new InvalidOperationException("Actions after the commit must not throw, but this one does."));
            return Task.CompletedTask;
        });
        var key = Guid.CreateVersion7();

        await service.ProcessAsync(bed.Record(new(key, 1, ""), offset: 1), bed.Record(new(key, 2, ""), offset: 2));

        Assert.Equal([1, 2], (await bed.EffectsAsync()).Select(effect => effect.Version));
        Assert.Equal(0, await bed.DeadLettersAsync());
        Assert.Equal(2, service.Handler.Handled);
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Confluent.Kafka;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using OrderInventory.Messaging.Outbox;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>What is committed is published, whatever happens; what is not committed never is.</summary>
[Collection(InfrastructureCollection.Name)]
public class OutboxRelayTests(InfrastructureFixture infrastructure)
{
    // Fails when a header of events.md is missing, superfluous, or has another value.
    [Fact]
    public async Task Publishes_after_the_commit_with_the_headers_of_a_cloud_event()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        var key = Guid.CreateVersion7();
        var time = new DateTimeOffset(2026, 3, 29, 2, 30, 0, TimeSpan.FromHours(2));
        using var activity = new Activity("request").Start();
        activity.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        activity.TraceStateString = "shop=7";

        var message = OutboxMessage.Create(bed.Noted, key, 7, new ThingNoted(key, 7), time);
        await using (var db = await service.Services.GetRequiredService<IDbContextFactory<ThingsDb>>().CreateDbContextAsync())
        {
            db.Add(message);
            await db.SaveChangesAsync();
        }

        var record = Assert.Single(await bed.Kafka.ReadAsync(bed.Noted.Topic, atLeast: 1));
        Assert.Equal(key.ToString(), record.Message.Key);
        Assert.Equal($$"""{"thingId":"{{key}}","version":7}""", System.Text.Encoding.UTF8.GetString(record.Message.Value!));
        var headers = record.Message.Headers.ToDictionary(header => header.Key, header => System.Text.Encoding.UTF8.GetString(header.GetValueBytes()));
        Assert.True(headers.Remove("traceparent", out var traceParent));
        Assert.Equal(
            new SortedDictionary<string, string>
            {
                ["ce_specversion"] = "1.0",
                ["ce_id"] = message.Id.ToString(),
                ["ce_type"] = "thing.noted.v1",
                ["ce_source"] = "/things",
                ["ce_time"] = "2026-03-29T00:30:00.0000000Z",
                ["ce_subject"] = key.ToString(),
                ["ce_aggregateversion"] = "7",
                ["ce_correlationid"] = message.Id.ToString(),
                ["content-type"] = "application/json",
                ["tracestate"] = "shop=7",
            },
            new SortedDictionary<string, string>(headers));
        Assert.Equal(7, message.Id.Version);
        Assert.Equal(activity.TraceId, ActivityContext.Parse(traceParent, null).TraceId);
        await bed.OutboxIsEmptyAsync();
    }

    // Fails when the relay scans the whole table: it is nearly always empty, so the planner takes it for tiny, but it is full of dead rows.
    [Fact]
    public async Task Finds_rows_by_their_key_in_a_table_that_the_planner_considers_empty()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.ExecuteAsync("VACUUM ANALYZE outbox_messages");
        await bed.ScalarAsync<object>("SELECT pg_stat_force_next_flush()");
        Task<long> CountAsync(string scans) =>
            bed.ScalarAsync<long>($"SELECT {scans} FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = 'outbox_messages'");
        var before = await CountAsync("seq_scan");

        await bed.StartAsync();
        for (var i = 0; i < 20; i++)
        {
            await bed.WriteAsync(bed.Message(Guid.CreateVersion7(), 1));
        }

        await bed.Kafka.ReadAsync(bed.Changed.Topic, atLeast: 20);
        // The server counts with a delay. Each round queries sixteen slots, and the rows are deleted.
        await Eventually.TrueAsync(async () => await CountAsync("idx_scan") >= 36, TestBed.Timeout, "The relay has used the index");
        Assert.Equal(before, await CountAsync("seq_scan"));
    }

    // Fails when an event leaves before its transaction has committed.
    [Fact]
    public async Task Publishes_nothing_of_a_transaction_that_is_rolled_back()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        var givenUp = bed.Message(Guid.CreateVersion7(), 1);
        await using (var db = await service.Services.GetRequiredService<IDbContextFactory<ThingsDb>>().CreateDbContextAsync())
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            db.Add(givenUp);
            await db.SaveChangesAsync();
            // The relay has read this slot while the uncommitted row was there.
            var meanwhile = bed.KeyInSlotOf(givenUp);
            await bed.WriteAsync(bed.Message(meanwhile, 1));
            await bed.AppliedAsync(meanwhile, 1);
            await transaction.RollbackAsync();
        }

        var after = bed.KeyInSlotOf(givenUp);
        await bed.WriteAsync(bed.Message(after, 1));
        await bed.AppliedAsync(after, 1);
        Assert.DoesNotContain(await bed.Kafka.ReadAsync(bed.Changed.Topic), record => record.Message.Key == givenUp.Key);
    }

    // Fails when only the process that wrote a row publishes it.
    [Fact]
    public async Task Publishes_what_a_crashed_process_left()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var keys = Enumerable.Range(0, 40).Select(_ => Guid.CreateVersion7()).ToList();
        await bed.WriteAsync([.. keys.Select(key => bed.Message(key, 1))]);

        await bed.StartAsync();

        await bed.OutboxIsEmptyAsync();
        var published = await bed.FirstOccurrencesAsync(bed.Changed.Topic);
        Assert.Equal(keys.Order(), published.Select(e => e.Key).Order());
    }

    // Fails when a repeated event gets a new id, or when the inbox does not recognise the old one.
    [Fact]
    public async Task Publishes_rows_that_it_could_not_delete_again_with_the_same_id()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var key = Guid.CreateVersion7();
        var message = bed.Message(key, 1);
        await bed.WriteAsync(message);
        await bed.ExecuteAsync("CREATE TABLE before_the_crash AS SELECT * FROM outbox_messages");
        await bed.StartAsync();
        await bed.OutboxIsEmptyAsync();

        // As after a crash: the broker has acknowledged the record, but the delete was lost.
        await bed.ExecuteAsync("INSERT INTO outbox_messages SELECT * FROM before_the_crash");
        await bed.OutboxIsEmptyAsync();

        await bed.WriteAsync(bed.Message(key, 2));
        await bed.AppliedAsync(key, 2);
        var records = await bed.Kafka.ReadAsync(bed.Changed.Topic);
        Assert.Equal(2, records.Count(record => RawKafka.Header(record, "ce_id") == message.Id.ToString()));
        Assert.Equal([1, 2], (await bed.EffectsAsync()).Select(effect => effect.Version));
    }

    // Fails when a row that the broker will never accept stops its slot, is lost, or leaves no trace for the operator.
    [Fact]
    public async Task A_record_that_the_broker_refuses_becomes_a_dead_letter_and_its_slot_continues()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        // The keys of a slot are read in order, so the second row comes after the first.
        var first = bed.Message(Guid.CreateVersion7(), 1, new string('x', 50_000));
        var second = bed.Message(bed.KeyInSlotOf(first), 1);
        await bed.WriteAsync(first, second);

        var service = await bed.StartAsync(("Aspire:Confluent:Kafka:Producer:Config:MessageMaxBytes", "20000"));

        await bed.AppliedAsync(Guid.Parse(second.Key), 1);
        await Eventually.TrueAsync(async () => await bed.DeadLettersAsync() == 1, TestBed.Timeout, "A dead letter");
        var letter = (await DeadLetterApi.ListAsync(service.Client)).Items.Single();
        Assert.Equal(
            (bed.Changed.Topic, null, null, first.Key, first.Id, ThingChanged.Type),
            (letter.Topic, letter.Partition, letter.Offset, letter.Key, letter.EventId, letter.EventType));
        Assert.Contains("refused", letter.Reason, StringComparison.Ordinal);
        await bed.OutboxIsEmptyAsync();
        Assert.Contains(service.Log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains(first.Id.ToString(), StringComparison.Ordinal));
        Assert.DoesNotContain(await bed.Kafka.ReadAsync(bed.Changed.Topic), record => record.Message.Key == first.Key);

        // Replayed with the same limit, it goes to the outbox and is refused again: the same entry with one more attempt, not a loop.
        await DeadLetterApi.ReplayAsync(service.Client, letter.Id);
        await Eventually.TrueAsync(
            async () => (await DeadLetterApi.ListAsync(service.Client)).Items is [var again] && again.Id == letter.Id && again.Attempts == letter.Attempts + 1, TestBed.Timeout, "The dead letter of the replay");
        await bed.OutboxIsEmptyAsync();

        // Now the limit is higher.
        await bed.StopAsync(service);
        service = await bed.StartAsync();
        await DeadLetterApi.ReplayAsync(service.Client, (await DeadLetterApi.ListAsync(service.Client)).Items.Single().Id);
        await bed.AppliedAsync(Guid.Parse(first.Key), 1);
        await Eventually.TrueAsync(async () => await bed.DeadLettersAsync() == 0, TestBed.Timeout, "The relay deletes the row and the entry");
        var published = Assert.Single(await bed.Kafka.ReadAsync(bed.Changed.Topic), record => record.Message.Key == first.Key);
        Assert.Equal(first.Id.ToString(), RawKafka.Header(published, "ce_id"));
        Assert.Equal(first.Version.ToString(CultureInfo.InvariantCulture), RawKafka.Header(published, "ce_aggregateversion"));
    }

    // Fails when the relay takes the broker's own limit, which it learns only from the response, for a transient failure.
    [Fact]
    public async Task A_record_that_is_too_large_only_for_the_broker_becomes_a_dead_letter_too()
    {
        using var broker = new FaultyBroker();
        await using var bed = await TestBed.CreateAsync(infrastructure, broker);
        broker.FailToProduce(ErrorCode.MsgSizeTooLarge);
        var refused = bed.Message(Guid.CreateVersion7(), 1);
        await bed.WriteAsync(refused);
        await bed.StartAsync();
        await Eventually.TrueAsync(async () => await bed.DeadLettersAsync() == 1, TestBed.Timeout, "A dead letter");

        var next = bed.KeyInSlotOf(refused);
        await bed.WriteAsync(bed.Message(next, 1));
        await bed.AppliedAsync(next, 1);
        Assert.Equal(1, await bed.DeadLettersAsync());
    }

    // Fails when a replay makes a second entry, or when the entry stays after the broker has taken the event.
    [Fact]
    public async Task A_refused_event_that_is_replayed_stays_the_same_entry_until_the_broker_accepts_it()
    {
        using var broker = new FaultyBroker();
        await using var bed = await TestBed.CreateAsync(infrastructure, broker);
        broker.FailToProduce(ErrorCode.MsgSizeTooLarge, ErrorCode.MsgSizeTooLarge);
        await bed.WriteAsync(bed.Message(Guid.CreateVersion7(), 1));
        var service = await bed.StartAsync();
        await Eventually.TrueAsync(async () => await bed.DeadLettersAsync() == 1, TestBed.Timeout, "A dead letter");
        var before = Assert.Single((await DeadLetterApi.ListAsync(service.Client)).Items);

        await DeadLetterApi.ReplayAsync(service.Client, before.Id);
        await bed.OutboxIsEmptyAsync();
        var after = Assert.Single((await DeadLetterApi.ListAsync(service.Client)).Items);
        Assert.Equal((before.Id, before.Attempts + 1), (after.Id, after.Attempts));

        await DeadLetterApi.ReplayAsync(service.Client, before.Id);
        await Eventually.TrueAsync(async () => await bed.DeadLettersAsync() == 0, TestBed.Timeout, "The broker has accepted it");
        Assert.DoesNotContain(Assert.Single(await bed.Kafka.ReadAsync(bed.Changed.Topic, atLeast: 1)).Message.Headers, header => header.Key.StartsWith("dlq", StringComparison.Ordinal));
    }

    // Fails when a transient error makes a dead letter, loses a row, or is repeated out of order.
    [Fact]
    public async Task Records_with_transient_broker_errors_are_retried_in_order()
    {
        using var broker = new FaultyBroker();
        await using var bed = await TestBed.CreateAsync(infrastructure, broker);
        broker.FailToProduce(ErrorCode.NotEnoughReplicas, ErrorCode.LeaderNotAvailable, ErrorCode.RequestTimedOut, ErrorCode.NotLeaderForPartition);
        var key = Guid.CreateVersion7();
        await bed.WriteAsync([.. Enumerable.Range(1, 50).Select(version => bed.Message(key, version))]);
        // A broker refuses, by sequence number, what follows a failed request; the mock does not, so only one request may be in flight.
        await bed.StartAsync(("Aspire:Confluent:Kafka:Producer:Config:MaxInFlight", "1"));

        await bed.OutboxIsEmptyAsync();
        Assert.Equal(Enumerable.Range(1, 50).Select(version => (key, (long)version)), await bed.FirstOccurrencesAsync(bed.Changed.Topic));
        Assert.Equal(0, await bed.DeadLettersAsync());
    }

    // Fails when the producer, which librdkafka makes unusable after this error, is not replaced.
    [Fact]
    public async Task The_relay_survives_a_fatal_error_of_the_producer()
    {
        using var broker = new FaultyBroker();
        await using var bed = await TestBed.CreateAsync(infrastructure, broker);
        var service = await bed.StartAsync();
        var key = Guid.CreateVersion7();
        await bed.WriteAsync(bed.Message(key, 1));
        await bed.AppliedAsync(key, 1);

        FaultyBroker.FailFatally(service.Services.GetRequiredService<IProducer<string, byte[]>>());
        await bed.WriteAsync([.. Enumerable.Range(2, 20).Select(version => bed.Message(key, version))]);

        await bed.AppliedAsync(key, 21);
        Assert.Equal(Enumerable.Range(1, 21).Select(version => (key, (long)version)), (await bed.EffectsAsync()).Select(effect => (effect.Key, effect.Version)));
        Assert.Equal(0, await bed.DeadLettersAsync());
    }

    // Fails when rows are given up, duplicated for consumers, or reordered while the broker is down.
    [Fact]
    public async Task Rows_wait_while_the_broker_is_down()
    {
        using var broker = new FaultyBroker();
        await using var bed = await TestBed.CreateAsync(infrastructure, broker);
        await bed.StartAsync();
        var keys = Enumerable.Range(0, 5).Select(_ => Guid.CreateVersion7()).ToList();
        await bed.WriteAsync([.. keys.Select(key => bed.Message(key, 1))]);
        await bed.AppliedAsync(5);

        broker.GoDown();
        for (var version = 2; version <= 10; version++)
        {
            await bed.WriteAsync([.. keys.Select(key => bed.Message(key, version))]);
        }

        broker.ComeBack();
        var effects = await bed.AppliedAsync(50);
        await bed.OutboxIsEmptyAsync();
        Assert.All(keys, key => Assert.Equal(
            Enumerable.Range(1, 10).Select(version => (long)version), effects.Where(effect => effect.Key == key).Select(effect => effect.Version)));
    }

    // On a real Kafka: fails when acknowledged or waiting records are lost or duplicated by kill -9 of the broker.
    [Fact]
    public async Task Nothing_is_lost_or_duplicated_when_the_broker_is_killed()
    {
        if (!infrastructure.KafkaIsReal)
        {
            // librdkafka's mock has no process to kill and would forget its topics; the test above covers this case there.
            Assert.False(infrastructure.Runner.CanStop("kafka"));
            return;
        }

        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.StartAsync();
        var keys = Enumerable.Range(0, 10).Select(_ => Guid.CreateVersion7()).ToList();
        await WriteVersionsAsync(1, 5);
        await bed.AppliedAsync(10);

        await infrastructure.Runner.KillAsync("kafka");
        await WriteVersionsAsync(6, 10);
        await infrastructure.Runner.StartAsync("kafka");
        await WriteVersionsAsync(11, 12);

        var effects = await bed.AppliedAsync(120);
        await bed.OutboxIsEmptyAsync();
        Assert.All(keys, key => Assert.Equal(
            Enumerable.Range(1, 12).Select(version => (long)version), effects.Where(effect => effect.Key == key).Select(effect => effect.Version)));
        Assert.Equal(0, await bed.DeadLettersAsync());

        async Task WriteVersionsAsync(int from, int to)
        {
            for (var version = from; version <= to; version++)
            {
                await bed.WriteAsync([.. keys.Select(key => bed.Message(key, version))]);
            }
        }
    }
}

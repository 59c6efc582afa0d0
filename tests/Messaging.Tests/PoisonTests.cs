using System.Security.Cryptography;
using System.Text;
using Confluent.Kafka;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>A record that cannot be read never stops its partition and is never lost.</summary>
[Collection(InfrastructureCollection.Name)]
public class PoisonTests(InfrastructureFixture infrastructure)
{
    private static readonly Guid s_key = Guid.CreateVersion7();
    private static readonly byte[] s_keyBytes = Encoding.UTF8.GetBytes(s_key.ToString());
    private static readonly byte[] s_good = TestBed.Json(new(s_key, 1, ""));

    private sealed record Poison(byte[]? Key, byte[]? Value, Headers Headers, string Reason);

    private static IEnumerable<Poison> Poisons =>
    [
        new(s_keyBytes, s_good, Event(without: "ce_type"), "no ce_type"),
        new(s_keyBytes, s_good, Event(without: "ce_type", ("ce_type", [0xC3, 0x28])), "no ce_type"),
        new(s_keyBytes, s_good, [], "no ce_type"),
        new(s_keyBytes, s_good, Event(without: "ce_id"), "ce_id is missing"),
        new(s_keyBytes, s_good, Event(without: "ce_id", ("ce_id", "4711"u8.ToArray())), "ce_id is missing"),
        new(s_keyBytes, "{\"thingId\":"u8.ToArray(), Event(), ""),
        new(s_keyBytes, [0xFF, 0xFE, 0x00], Event(), ""),
        new(s_keyBytes, "null"u8.ToArray(), Event(), "null"),
        new(s_keyBytes, Encoding.UTF8.GetBytes($$"""{"thingId":"{{s_key}}","version":1}"""), Event(), "text"),
        new(s_keyBytes, Encoding.UTF8.GetBytes($$"""{"thingId":"{{s_key}}","version":1,"text":null}"""), Event(), "text"),
        new(s_keyBytes, Encoding.UTF8.GetBytes($$"""{"thingId":"{{s_key}}","version":1.5,"text":""}"""), Event(), "version"),
        new(s_keyBytes, Encoding.UTF8.GetBytes($$"""{"thingId":"{{s_key}}","version":1,"text":"\ud800"}"""), Event(), ""),
        new(s_keyBytes, TestBed.Json(new(s_key, 1, "", ["much too long a tag"])), Event(), "longer than 10"),
        new(s_keyBytes, Encoding.UTF8.GetBytes(new string('[', 50) + new string(']', 50)), Event(), ""),
        new(s_keyBytes, [], Event(), ""),
        new(s_keyBytes, null, Event(), ""),
        new([0xC3, 0x28, 0x00], "[]"u8.ToArray(), Event(), ""),
        new(null, "[]"u8.ToArray(), Event(without: "ce_subject", ("x-nul", [0x61, 0x00, 0x62])), ""),
    ];

    // Fails when one of these records is lost, changed, applied, or stops the records after it in its partition.
    [Fact]
    public async Task A_record_that_cannot_be_read_becomes_a_dead_letter_with_a_copy_and_its_neighbours_are_applied()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        var poisons = Poisons.ToList();
        var sent = new List<(TopicPartitionOffset At, Poison Poison)>();
        await bed.SendAsync(new(s_key, 1, ""), partition: 0);
        foreach (var poison in poisons)
        {
            sent.Add((await bed.Kafka.PublishAsync(bed.Changed.Topic, poison.Key, poison.Value, poison.Headers, partition: 0), poison));
            await bed.SendAsync(new(s_key, sent.Count + 1, ""), partition: 0);
        }

        await bed.AppliedAsync(s_key, poisons.Count + 1);
        Assert.Equal(Enumerable.Range(1, poisons.Count + 1).Select(version => (long)version), (await bed.EffectsAsync()).Select(effect => effect.Version));

        var letters = (await DeadLetterApi.ListAsync(service.Client, "?limit=100")).Items;
        Assert.Equal(sent.Select(s => (bed.Changed.Topic, (int?)0, (long?)s.At.Offset.Value)), letters.OrderBy(l => l.Offset).Select(l => (l.Topic, l.Partition, l.Offset)));
        Assert.All(letters.OrderBy(l => l.Offset).Zip(sent), pair =>
        {
            Assert.Contains(pair.Second.Poison.Reason, pair.First.Reason, StringComparison.Ordinal);
            Assert.NotEqual("", pair.First.Reason);
            Assert.Equal(0, pair.First.Attempts);
            Assert.Equal(AsStored(pair.Second.Poison.Key), pair.First.Key);
        });

        var copies = (await bed.Kafka.ReadAsync(bed.DeadLetterTopic, poisons.Count)).ToList();
        Assert.Equal(poisons.Count, copies.Count);
        Assert.All(sent, s => Assert.Contains(copies, copy =>
            copy.Message.Value.AsSpan().SequenceEqual(s.Poison.Value)
            && copy.Message.Key == AsStored(s.Poison.Key)
            && RawKafka.Header(copy, "ce_id") == RawKafka.Header(s.Poison.Headers, "ce_id")
            && RawKafka.Header(copy, "ce_type") == RawKafka.Header(s.Poison.Headers, "ce_type")));
        Assert.All(copies, copy => Assert.Contains(letters, letter => letter.Reason == RawKafka.Header(copy, "dlq_reason")));
    }

    // Fails when the key, which nobody needs (ids are in the data), makes an event unreadable.
    [Fact]
    public async Task A_key_that_is_not_UTF_8_does_not_matter_when_the_data_is_good()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.StartAsync();

        await bed.Kafka.PublishAsync(bed.Changed.Topic, [0xC3, 0x28], s_good, Event());

        await bed.AppliedAsync(s_key, 1);
        Assert.Equal(0, await bed.DeadLettersAsync());
    }

    // Fails when a validation that throws on unexpected data (here a null in a list) ends the consumer instead of refusing the record.
    [Fact]
    public async Task A_record_on_which_the_validation_throws_becomes_a_dead_letter_too()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.StartAsync();

        await bed.Kafka.PublishAsync(
            bed.Changed.Topic, s_keyBytes, Encoding.UTF8.GetBytes($$"""{"thingId":"{{s_key}}","version":1,"text":"","tags":[null]}"""), Event(), partition: 0);
        await bed.SendAsync(new(s_key, 2, ""), partition: 0);

        await bed.AppliedAsync(s_key, 2);
        Assert.Equal("NullReferenceException", (await bed.ScalarAsync<string>("SELECT reason FROM dead_letters")).Split(':')[0]);
    }

    // Fails when the copy's outbox row, whose primary key contains the record's key, cannot be written: an index entry has at most
    // 2,704 bytes.
    [Fact]
    public async Task A_record_with_a_very_long_key_does_not_stop_its_partition()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        await bed.StartAsync();
        // Random, so that PostgreSQL cannot compress it.
        var key = Convert.ToHexString(RandomNumberGenerator.GetBytes(10_000)) + "🫖";

        await bed.Kafka.PublishAsync(bed.Changed.Topic, Encoding.UTF8.GetBytes(key), "[]"u8.ToArray(), Event(), partition: 0);
        await bed.SendAsync(new(s_key, 2, ""), partition: 0);

        await bed.AppliedAsync(s_key, 2);
        Assert.Equal(key, await bed.ScalarAsync<string>("SELECT key FROM dead_letters"));
        var copy = Assert.Single(await bed.Kafka.ReadAsync(bed.DeadLetterTopic, atLeast: 1));
        Assert.StartsWith(copy.Message.Key, key, StringComparison.Ordinal);
    }

    // Fails when a record that is read again after a crash is set aside again.
    [Fact]
    public async Task A_record_that_is_read_again_is_one_dead_letter()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        await bed.Kafka.PublishAsync(bed.Changed.Topic, s_keyBytes, "[]"u8.ToArray(), Event());
        await Eventually.TrueAsync(async () => await bed.DeadLettersAsync() == 1, TestBed.Timeout, "A dead letter");
        await bed.StopAsync(service);

        await bed.StartAsync(("Messaging:Group", $"{bed.Group}-again"));
        await bed.SendAsync(new(s_key, 2, ""));

        await bed.AppliedAsync(s_key, 2);
        Assert.Equal(1, await bed.DeadLettersAsync());
        await bed.OutboxIsEmptyAsync();
        Assert.Single(await bed.Kafka.ReadAsync(bed.DeadLetterTopic));
        Assert.Empty(await bed.Kafka.ReadAsync($"{bed.Changed.Topic}.{bed.Group}-again.dlq"));
    }

    /// <summary>The key as PostgreSQL stores it, which allows neither broken UTF-8 nor NUL.</summary>
    private static string AsStored(byte[]? key) => key is null ? "" : Encoding.UTF8.GetString(key).Replace('\0', '\uFFFD');

    private static Headers Event(string? without = null, params (string Name, byte[] Value)[] more)
    {
        var headers = RawKafka.CloudEvent(ThingChanged.Type, Guid.CreateVersion7(), s_key.ToString(), 1);
        if (without is not null)
        {
            headers.Remove(without);
        }

        foreach (var (name, value) in more)
        {
            headers.Add(name, value);
        }

        return headers;
    }
}

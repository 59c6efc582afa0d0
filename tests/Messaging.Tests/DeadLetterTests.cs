using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Net.Http.Json;
using OrderInventory.Messaging.Inbox;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>The operator's side: list, replay, delete.</summary>
[Collection(InfrastructureCollection.Name)]
public class DeadLetterTests(InfrastructureFixture infrastructure)
{
    // Fails when an entry is skipped or repeated between pages, or the order is wrong.
    [Fact]
    public async Task Lists_the_newest_first_page_by_page()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync(Failing());
        var key = Guid.CreateVersion7();
        for (var offset = 1; offset <= 5; offset++)
        {
            await service.ProcessAsync(bed.Record(new(key, offset, "bad"), offset: offset));
        }

        var all = (await DeadLetterApi.ListAsync(service.Client)).Items;
        Assert.Equal(5, all.Count);
        Assert.Equal(all.OrderByDescending(letter => letter.CreatedAt).Select(letter => letter.Id), all.Select(letter => letter.Id));
        Assert.Equal(5, all[0].Payload!["version"]!.GetValue<long>());

        var pages = new List<Guid>();
        string? next = null;
        do
        {
            var page = await DeadLetterApi.ListAsync(service.Client, $"?limit=2{(next is null ? "" : $"&cursor={next}")}");
            pages.AddRange(page.Items.Select(letter => letter.Id));
            next = page.Next;
        }
        while (next is not null);
        Assert.Equal(all.Select(letter => letter.Id), pages);
    }

    [Theory]
    [InlineData("?limit=0")]
    [InlineData("?limit=101")]
    [InlineData("?cursor=nonsense")]
    public async Task Returns_400_for_an_invalid_page(string query)
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        using var response = await service.Client.GetAsync(DeadLetterApi.Path + query);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    // Fails when a replay is lost, takes effect twice, leaves its entry, goes to the topic that others read too, or is not kept in the inbox.
    [Fact]
    public async Task A_replay_that_succeeds_has_its_effect_once_and_removes_the_entry()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var broken = true;
        var service = await bed.StartAsync(Failing(() => Volatile.Read(ref broken)));
        var (key, id) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await bed.SendAsync(new(key, 1, "bad"), id);
        await bed.SendAsync(new(key, 2, ""));
        await bed.AppliedAsync(key, 2);
        var letter = Assert.Single((await DeadLetterApi.ListAsync(service.Client)).Items);
        Assert.Single(await bed.Kafka.ReadAsync(bed.DeadLetterTopic, atLeast: 1));

        Volatile.Write(ref broken, false);
        await DeadLetterApi.ReplayAsync(service.Client, letter.Id);

        Assert.Empty((await DeadLetterApi.ListAsync(service.Client)).Items);
        Assert.Equal([(2L, false), (1L, true)], (await bed.EffectsAsync()).Select(effect => (effect.Version, effect.EventId == id)));
        await bed.OutboxIsEmptyAsync();
        Assert.Equal(2, (await bed.FirstOccurrencesAsync(bed.Noted.Topic)).Count);
        Assert.Equal(2, (await bed.Kafka.ReadAsync(bed.Changed.Topic)).Count);
        Assert.Single(await bed.Kafka.ReadAsync(bed.DeadLetterTopic));

        // The same event from the broker is a duplicate now.
        await bed.SendAsync(new(key, 1, "bad"), id);
        await bed.SendAsync(new(key, 3, ""));
        await bed.AppliedAsync(key, 3);
        Assert.Equal([2, 1, 3], (await bed.EffectsAsync()).Select(effect => effect.Version));
    }

    // Fails when a failed replay makes a second entry, loses the first, or publishes another copy.
    [Fact]
    public async Task A_replay_that_fails_again_keeps_the_entry_with_one_more_attempt()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var reason = "first";
        var service = await bed.StartAsync((_, _, _) => throw new InvalidOperationException(Volatile.Read(ref reason)));
        await service.ProcessAsync(bed.Record(new(Guid.CreateVersion7(), 1, ""), offset: 1));
        var before = Assert.Single((await DeadLetterApi.ListAsync(service.Client)).Items);
        await bed.OutboxIsEmptyAsync();

        Volatile.Write(ref reason, "second");
        await DeadLetterApi.ReplayAsync(service.Client, before.Id);
        await DeadLetterApi.ReplayAsync(service.Client, before.Id);

        var after = Assert.Single((await DeadLetterApi.ListAsync(service.Client)).Items);
        Assert.Equal((before.Id, before.Attempts + 2, before.CreatedAt), (after.Id, after.Attempts, after.CreatedAt));
        Assert.Equal("InvalidOperationException: second", after.Reason);
        Assert.Empty(await bed.EffectsAsync());
        await bed.OutboxIsEmptyAsync();
        Assert.Single(await bed.Kafka.ReadAsync(bed.DeadLetterTopic, atLeast: 1));
    }

    // Fails when a record that still cannot be read counts as applied.
    [Fact]
    public async Task A_replayed_record_that_still_cannot_be_read_stays()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync();
        await service.ProcessAsync(bed.Record(new(Guid.CreateVersion7(), 1, ""), offset: 1) with { Payload = [] });
        var before = Assert.Single((await DeadLetterApi.ListAsync(service.Client)).Items);

        await DeadLetterApi.ReplayAsync(service.Client, before.Id);

        var after = Assert.Single((await DeadLetterApi.ListAsync(service.Client)).Items);
        Assert.Equal((before.Id, 1, before.Reason), (after.Id, after.Attempts, after.Reason));
    }

    // Fails when two operators who replay at the same time apply the event twice.
    [Fact]
    public async Task Replays_at_the_same_time_have_one_effect()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var broken = true;
        var service = await bed.StartAsync(Failing(() => Volatile.Read(ref broken)));
        await service.ProcessAsync(bed.Record(new(Guid.CreateVersion7(), 1, "bad"), offset: 1));
        var letter = Assert.Single((await DeadLetterApi.ListAsync(service.Client)).Items);

        Volatile.Write(ref broken, false);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => service.Client.PostAsync($"{DeadLetterApi.Path}/{letter.Id}/replay", null)));

        Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.NotFound));
        Assert.Single(await bed.EffectsAsync());
        Assert.Equal(0, await bed.DeadLettersAsync());
    }

    // Fails when a filter matches a wrong entry, or a request does something other than what it states.
    [Fact]
    public async Task Many_are_counted_replayed_and_discarded_by_a_filter()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var broken = true;
        var service = await bed.StartAsync(Failing(() => Volatile.Read(ref broken)));
        var keys = new[] { Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7() };
        for (var i = 0; i < keys.Length; i++)
        {
            await service.ProcessAsync(bed.Record(new(keys[i], 1, "bad"), offset: i + 1));
        }

        await service.ProcessAsync(bed.Record(new(Guid.CreateVersion7(), 1, ""), offset: 9) with { Payload = [] });
        async Task<JsonNode> SendAsync(string what, object selection)
        {
            using var response = await service.Client.PostAsJsonAsync($"{DeadLetterApi.Path}/{what}", selection);
            return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>())!;
        }

        async Task<long> CountAsync(string query) => (long)(await service.Client.GetFromJsonAsync<JsonNode>($"{DeadLetterApi.Path}/count{query}"))!["count"]!;

        Assert.Equal((4, 3, 1, 0), (await CountAsync(""), await CountAsync("?reason=THIS%20one"), await CountAsync($"?key={keys[0]}"), await CountAsync("?topic=other")));
        Assert.Equal(3, (await DeadLetterApi.ListAsync(service.Client, "?reason=this%20one")).Items.Count);
        Assert.Empty((await DeadLetterApi.ListAsync(service.Client, "?createdTo=2020-01-01T00:00:00Z")).Items);
        Assert.Equal("""{"applied":0,"failedAgain":3,"hasMore":false}""", (await SendAsync("replay", new { reason = "this one" })).ToJsonString());

        Volatile.Write(ref broken, false);
        Assert.Equal("""{"applied":1,"failedAgain":0,"hasMore":false}""", (await SendAsync("replay", new { key = keys[0].ToString() })).ToJsonString());
        Assert.Equal("""{"applied":2,"failedAgain":1,"hasMore":false}""", (await SendAsync("replay", new { all = true })).ToJsonString());
        Assert.Equal(3, (await bed.EffectsAsync()).Count);
        Assert.Equal("""{"discarded":0,"hasMore":false}""", (await SendAsync("discard", new { topic = "other" })).ToJsonString());
        Assert.Equal("""{"discarded":1,"hasMore":false}""", (await SendAsync("discard", new { ids = new[] { (await DeadLetterApi.ListAsync(service.Client)).Items.Single().Id } })).ToJsonString());
        Assert.Equal(0, await CountAsync(""));
    }

    // Fails when a careless operator, or a script with an empty variable, replays or discards what was never named.
    [Fact]
    public async Task All_must_be_requested_explicitly()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync(Failing());
        for (var i = 1; i <= 3; i++)
        {
            await service.ProcessAsync(bed.Record(new(Guid.CreateVersion7(), 1, "bad"), offset: i));
        }

        var letters = (await DeadLetterApi.ListAsync(service.Client)).Items;
        foreach (var what in new[] { "replay", "discard" })
        {
            foreach (var body in new[]
            {
                "{}", """{"all": false}""", """{"limit": 5}""", """{"ids": []}""", """{"ids": null, "topic": null}""", """{"reason": ""}""", """{"reason": "  "}""",
                """{"all": true, "topic": "things"}""", $$"""{"all": true, "ids": ["{{letters[0].Id}}"]}""", """{"all": true, "limit": 0}""", """{"all": true, "limit": 101}""",
            })
            {
                using var content = new StringContent(body, Encoding.UTF8, "application/json");
                using var refused = await service.Client.PostAsync($"{DeadLetterApi.Path}/{what}", content);
                Assert.Equal((what, body, HttpStatusCode.BadRequest), (what, body, refused.StatusCode));
                Assert.NotEmpty((await refused.Content.ReadFromJsonAsync<JsonNode>())!["errors"]!.AsObject());
            }
        }

        Assert.Equal(letters.Select(l => (l.Id, l.Attempts)), (await DeadLetterApi.ListAsync(service.Client)).Items.Select(l => (l.Id, l.Attempts)));
        using var first = await service.Client.PostAsJsonAsync($"{DeadLetterApi.Path}/discard", new { all = true, limit = 2 });
        Assert.Equal("""{"discarded":2,"hasMore":true}""", await first.Content.ReadAsStringAsync());
        Assert.Equal(letters[0].Id, (await DeadLetterApi.ListAsync(service.Client)).Items.Single().Id);
    }

    [Fact]
    public async Task Deletes_an_entry_and_answers_404_for_one_that_is_gone()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        var service = await bed.StartAsync(Failing());
        await service.ProcessAsync(bed.Record(new(Guid.CreateVersion7(), 1, "bad"), offset: 1));
        var letter = Assert.Single((await DeadLetterApi.ListAsync(service.Client)).Items);
        var address = $"{DeadLetterApi.Path}/{letter.Id}";

        using var deleted = await service.Client.DeleteAsync(address);
        using var again = await service.Client.DeleteAsync(address);
        using var replayed = await service.Client.PostAsync($"{address}/replay", null);

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, replayed.StatusCode);
        Assert.Equal(0, await bed.DeadLettersAsync());
    }

    private static BeforeHandling Failing(Func<bool>? broken = null) => (events, _, _) =>
        (broken?.Invoke() ?? true) && events.Any(e => ((ThingChanged)e.Data).Text == "bad")
            ? throw new InvalidOperationException("This one is bad.")
            : Task.CompletedTask;
}

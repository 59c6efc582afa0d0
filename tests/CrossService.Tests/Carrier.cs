using System.Text;
using Confluent.Kafka;
using OrderInventory.Messaging;
using OrderInventory.Messaging.Inbox;

namespace OrderInventory.CrossService.Tests;

/// <summary>Carries events from one service's outbox to the other's inbox; late, twice and out of order if a step asks for it.</summary>
internal sealed class Carrier(IService orders, IService inventory)
{
    private readonly List<(int Due, IService To, EventRecord Record)> _underway = [];
    private long _offset;

    /// <summary>Takes the new messages from the outboxes, and delivers everything that is due until nothing is left.</summary>
    /// <param name="now">The number of the step.</param>
    /// <param name="delay">By how many steps the messages taken now are late.</param>
    /// <param name="copies">What arrives again two steps later: 0 nothing, 1 the same id, 2 another id, as if the inbox had forgotten it.</param>
    public async Task CarryAsync(int now, int delay, int copies)
    {
        for (var round = 0; ; round++)
        {
            Assert.True(round < 50, "The services exchange events without end.");
            foreach (var (topic, key, headers, payload) in (await TakeAsync(orders)).Concat(await TakeAsync(inventory)))
            {
                var to = topic switch { "order.created" or "order.updated" => inventory, "inventory.reservation" => orders, _ => null };
                if (to is not null)
                {
                    _underway.Add((now + delay, to, Record(topic, key, headers, payload, otherId: false)));
                    if (copies > 0)
                    {
                        _underway.Add((now + delay + 2, to, Record(topic, key, headers, payload, otherId: copies == 2)));
                    }
                }
            }

            var due = _underway.FindAll(e => e.Due <= now);
            if (due.Count == 0)
            {
                return;
            }

            _underway.RemoveAll(e => e.Due <= now);
            foreach (var batch in due.OrderBy(e => e.Due).GroupBy(e => e.To))
            {
                await batch.Key.ReceiveAsync([.. batch.Select(e => e.Record)]);
            }
        }
    }

    /// <summary>Empties the outbox, as the relay would: a key's messages in the order of their versions.</summary>
    public static async Task<List<(string Topic, string Key, string Headers, byte[] Payload)>> TakeAsync(IService service)
    {
        await using var command = service.Database.CreateCommand(
            """
            WITH taken AS (DELETE FROM outbox_messages RETURNING topic, key, version, headers::text, payload)
            SELECT topic, key, headers, payload FROM taken ORDER BY version
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var messages = new List<(string, string, string, byte[])>();
        while (await reader.ReadAsync())
        {
            messages.Add((reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetFieldValue<byte[]>(3)));
        }

        return messages;
    }

    public EventRecord Record(string topic, string key, string json, byte[] payload, bool otherId)
    {
        var headers = EventHeaders.FromJson(json);
        if (otherId)
        {
            headers.Remove(EventHeaders.Id);
            headers.Add(EventHeaders.Id, Encoding.UTF8.GetBytes(Guid.CreateVersion7().ToString()));
        }

        return new(topic, 0, ++_offset, key, headers, payload);
    }
}

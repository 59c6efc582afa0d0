using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using NpgsqlTypes;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Messaging.Tests;

/// <summary>What the test service consumes; tests send it, or let an outbox publish it.</summary>
internal sealed record ThingChanged(Guid ThingId, long Version, string Text, IReadOnlyList<string>? Tags = null)
{
    public const string Type = "thing.changed.v1";

    /// <summary>Events with this text do not concern the test service.</summary>
    public const string OfNoConcern = "of no concern";

    public bool Concerns => Text != OfNoConcern;

    /// <summary>A careless validation: a null among the tags throws.</summary>
    public string? Problem() => Tags is { } tags && tags.Any(tag => tag.Length > 10) ? "A tag is longer than 10." : null;
}

/// <summary>What the test service publishes for each <see cref="ThingChanged"/> that it has applied.</summary>
internal sealed record ThingNoted(Guid ThingId, long Version)
{
    public const string Type = "thing.noted.v1";
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ThingChanged))]
[JsonSerializable(typeof(ThingNoted))]
internal sealed partial class ThingsJson : JsonSerializerContext;

internal sealed class ThingsDb(DbContextOptions<ThingsDb> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.AddMessaging();
}

/// <summary>A row of the table <c>effects</c>, which has no unique constraint: an event that takes effect twice has two rows.</summary>
internal sealed record Effect(Guid Key, long Version, Guid EventId);

/// <summary>What happens before the handler does its work: it may throw, wait, or break the connection.</summary>
internal delegate Task BeforeHandling(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken);

/// <summary>Makes one row and one following event for each event, in order, without its own guard against duplicates.</summary>
internal sealed class ThingsHandler(EventType<ThingNoted> noted, BeforeHandling before, TimeProvider time) : IBatchHandler
{
    private int _handled;

    /// <summary>How many events this replica was given, including those of failed attempts.</summary>
    public int Handled => Volatile.Read(ref _handled);

    public async Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        Interlocked.Add(ref _handled, events.Count);
        await before(events, batch, cancellationToken);
        batch.Writes.BatchCommands.Add(new(
            "INSERT INTO effects (key, version, event_id) SELECT * FROM unnest($1, $2, $3)")
        {
            Parameters =
            {
                OutboxSql.Array(events, e => ((ThingChanged)e.Data).ThingId, NpgsqlDbType.Uuid),
                OutboxSql.Array(events, e => ((ThingChanged)e.Data).Version, NpgsqlDbType.Bigint),
                OutboxSql.Array(events, e => e.Id, NpgsqlDbType.Uuid),
            },
        });
        foreach (var received in events)
        {
            var thing = (ThingChanged)received.Data;
            batch.Publish(OutboxMessage.Create(noted, thing.ThingId, thing.Version, new ThingNoted(thing.ThingId, thing.Version), time.GetUtcNow(), received));
        }
    }
}

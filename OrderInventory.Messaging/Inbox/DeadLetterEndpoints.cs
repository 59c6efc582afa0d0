using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Messaging.Inbox;

/// <summary>Lets operators list, replay and discard dead letters.</summary>
public static class DeadLetterEndpoints
{
    /// <summary>A dead letter. <c>payload</c> is the JSON that was sent, or a string when it was not JSON.</summary>
    public sealed record Item(
        Guid Id, string Topic, int? Partition, long? Offset, string Key, Guid? EventId, string? EventType, string Reason, int Attempts,
        string? TraceId, DateTimeOffset CreatedAt, JsonNode? Payload);

    /// <summary>Selects dead letters: by ids, filters or both, all of which must match; or all of them with <c>all</c>.</summary>
    /// <param name="Ids">Any of these ids, at most 100.</param>
    /// <param name="Topic">Of this topic.</param>
    /// <param name="EventType">Of this <c>ce_type</c>.</param>
    /// <param name="Key">With this key: the id of an order, a product or a customer.</param>
    /// <param name="Reason">With this text in the reason, ignoring case.</param>
    /// <param name="CreatedTo">Set aside before this time.</param>
    /// <param name="All">true: all of them. Only <c>limit</c> can be combined with it.</param>
    /// <param name="Limit">At most this many, the oldest; 1 to 100, 100 when left out.</param>
    [Example("""{"topic": "order.created", "reason": "timeout"}""")]
    public sealed record Selection(
        IReadOnlyList<Guid>? Ids = null, [property: MaxLength(249)] string? Topic = null, [property: MaxLength(200)] string? EventType = null,
        [property: MaxLength(200)] string? Key = null, [property: MaxLength(200)] string? Reason = null, DateTimeOffset? CreatedTo = null, bool? All = null, int? Limit = null);

    /// <param name="Count">Number of dead letters that match.</param>
    /// <param name="ByTopic">The number per topic.</param>
    public sealed record CountResponse(long Count, IReadOnlyDictionary<string, long> ByTopic);

    /// <param name="Applied">Handled successfully, or handed to the outbox again: removed from the list, or about to be removed.</param>
    /// <param name="FailedAgain">Still in the list, with one more attempt.</param>
    /// <param name="HasMore">Whether more dead letters match than one request handles; if so, send it again.</param>
    public sealed record ReplayResponse(int Applied, int FailedAgain, bool HasMore);

    /// <param name="Discarded">Removed from the list.</param>
    /// <param name="HasMore">Whether more dead letters match than one request handles; if so, send it again.</param>
    public sealed record DiscardResponse(int Discarded, bool HasMore);

    /// <summary>Maps <c>/api/{service}/dead-letters</c>.</summary>
    public static void MapDeadLetters(this IEndpointRouteBuilder routes, string service)
    {
        var group = routes.MapGroup($"/api/{service}/dead-letters").WithTags("Dead letters");
        // Each service has its own list with its own cursors.
        var paging = new Paging($"{service} dead letters");
        group.MapGet("/", (
            string? topic, string? eventType, string? key, string? reason, DateTimeOffset? createdTo, int? limit, string? cursor, NpgsqlDataSource database, CancellationToken cancellationToken) =>
            ListAsync(paging, new Selection(null, topic, eventType, key, reason, createdTo), limit, cursor, database, cancellationToken)).WithName("ListDeadLetters").For(Policies.ReadDeadLetters).WithSummary("List dead letters, newest first").WithProblems(503);
        group.MapGet("/count", CountAsync).WithName("CountDeadLetters").For(Policies.ReadDeadLetters).WithSummary("Count dead letters").WithProblems(503);
        group.MapPost("/replay", ReplayManyAsync).WithName("ReplayDeadLetters").For(Policies.HandleDeadLetters).WithSummary("Replay dead letters, oldest first, at most 100").WithProblems(503);
        group.MapPost("/discard", DiscardManyAsync).WithName("DiscardDeadLetters").For(Policies.HandleDeadLetters).WithSummary("Discard dead letters, oldest first, at most 100").WithProblems(503);
        group.MapPost("/{id:guid}/replay", ReplayAsync).WithName("ReplayDeadLetter").For(Policies.HandleDeadLetters).WithSummary("Replay a dead letter").WithProblems(404, 503);
        group.MapDelete("/{id:guid}", DeleteAsync).WithName("DiscardDeadLetter").For(Policies.HandleDeadLetters).WithSummary("Discard a dead letter").WithProblems(404, 503);
    }

    private static async Task<Results<Ok<Page<Item>>, ProblemHttpResult>> ListAsync(
        Paging paging, Selection selection, int? limit, string? cursor, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        if ((paging.Read(limit, cursor, out var take, out var after) ?? CheckQuery(selection)) is { } problem)
        {
            return problem;
        }

        await using var command = database.CreateCommand();
        var wanted = Where(command, selection) + (after is { } last ? $" AND id < {command.Add(last)}" : "");
        command.CommandText =
            $"""
            SELECT id, topic, partition, "offset", key, event_id, event_type, reason, attempts, trace_id, created_at, payload
            FROM dead_letters WHERE {wanted} ORDER BY id DESC LIMIT {command.Add(take + 1)}
            """;
        var items = new List<Item>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            items.Add(new(
                reader.GetGuid(0), reader.GetString(1), reader.GetFieldValue<int?>(2), reader.GetFieldValue<long?>(3), reader.GetString(4),
                reader.GetFieldValue<Guid?>(5), reader.GetStringOrNull(6), reader.GetString(7), reader.GetInt32(8),
                reader.GetStringOrNull(9), reader.GetFieldValue<DateTimeOffset>(10), Payload(reader.GetFieldValue<byte[]>(11))));
        }

        return TypedResults.Ok(paging.ToPage(items, take, item => item.Id));
    }

    private static async Task<Results<Ok<CountResponse>, ProblemHttpResult>> CountAsync(
        string? topic, string? eventType, string? key, string? reason, DateTimeOffset? createdTo, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var selection = new Selection(null, topic, eventType, key, reason, createdTo);
        if (CheckQuery(selection) is { } problem)
        {
            return problem;
        }

        await using var command = database.CreateCommand();
        command.CommandText = $"SELECT topic, count(*) FROM dead_letters WHERE {Where(command, selection)} GROUP BY topic ORDER BY topic";
        var topics = new Dictionary<string, long>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            topics.Add(reader.GetString(0), reader.GetInt64(1));
        }

        return TypedResults.Ok(new CountResponse(topics.Values.Sum(), topics));
    }

    /// <summary>
    /// Returns 202 whether or not the event could be applied. If it was applied, its entry is removed; if it failed again, its entry stays with
    /// one more attempt. One of the service's own events that the broker refused goes back to the outbox.
    /// </summary>
    private static async Task<Results<Accepted, ProblemHttpResult>> ReplayAsync(
        Guid id, DeadLetterReplay replay, CancellationToken cancellationToken) =>
        await replay.ReplayAsync(id, cancellationToken) == DeadLetterReplay.Outcome.Unknown
            ? Problems.NotFound("dead letter", id)
            : TypedResults.Accepted((string?)null);

    /// <summary>
    /// Replays one after the other, oldest first. One that fails again stays in the list with its <c>createdAt</c>, so the same request selects it
    /// again. <c>createdTo</c> leaves out those that are added meanwhile.
    /// </summary>
    private static async Task<Results<Ok<ReplayResponse>, ProblemHttpResult>> ReplayManyAsync(
        Selection selection, DeadLetterReplay replay, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        if (CheckBody(selection) is { } problem)
        {
            return problem;
        }

        var (ids, hasMore) = await FindAsync(selection, database, cancellationToken);
        var (applied, failed) = (0, 0);
        foreach (var id in ids)
        {
            switch (await replay.ReplayAsync(id, cancellationToken))
            {
                case DeadLetterReplay.Outcome.Applied:
                    applied++;
                    break;
                case DeadLetterReplay.Outcome.FailedAgain:
                    failed++;
                    break;
                default:
                    // Another request has replayed or discarded it meanwhile.
                    break;
            }
        }

        return TypedResults.Ok(new ReplayResponse(applied, failed, hasMore));
    }

    private static async Task<Results<Ok<DiscardResponse>, ProblemHttpResult>> DiscardManyAsync(
        Selection selection, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        if (CheckBody(selection) is { } problem)
        {
            return problem;
        }

        var (ids, hasMore) = await FindAsync(selection, database, cancellationToken);
        await using var command = database.CreateCommand("DELETE FROM dead_letters WHERE id = ANY($1)");
        command.Parameters.Add(new() { Value = ids.ToArray() });
        return TypedResults.Ok(new DiscardResponse(await command.ExecuteNonQueryAsync(cancellationToken), hasMore));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(Guid id, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("DELETE FROM dead_letters WHERE id = $1");
        command.Parameters.Add(new() { Value = id });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1 ? TypedResults.NoContent() : Problems.NotFound("dead letter", id);
    }

    private static async Task<(List<Guid> Ids, bool HasMore)> FindAsync(Selection selection, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var limit = selection.Limit ?? BulkRequests.Max;
        await using var command = database.CreateCommand();
        command.CommandText = $"SELECT id FROM dead_letters WHERE {Where(command, selection)} ORDER BY id LIMIT {command.Add(limit + 1)}";
        var ids = new List<Guid>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            ids.Add(reader.GetGuid(0));
        }

        return ids.Count > limit ? (ids[..limit], true) : (ids, false);
    }

    /// <summary>A body selects dead letters to be changed, so its selection must be explicit.</summary>
    private static ProblemHttpResult? CheckBody(Selection selection)
    {
        var errors = new RequestErrors();
        CheckFilter(selection, errors, "$.");
        // A reason of only blanks excludes almost nothing, so it does not count as a filter.
        var isFiltered = selection is not { Topic: null, EventType: null, Key: null, CreatedTo: null } || !string.IsNullOrWhiteSpace(selection.Reason);
        BulkRequests.Require(errors, selection.Ids, isFiltered, selection.All, selection.Limit);
        return errors.Any ? errors.Malformed() : null;
    }

    private static ProblemHttpResult? CheckQuery(Selection selection)
    {
        var errors = new RequestErrors();
        CheckFilter(selection, errors, "");
        return errors.Any ? errors.Malformed() : null;
    }

    private static void CheckFilter(Selection selection, RequestErrors errors, string path)
    {
        errors.AllowText(selection.Topic, 249, path + "topic");
        errors.AllowText(selection.EventType, 200, path + "eventType");
        errors.AllowText(selection.Key, 200, path + "key");
        errors.AllowText(selection.Reason, 200, path + "reason");
    }

    private static string Where(NpgsqlCommand command, Selection selection)
    {
        var conditions = new List<string> { "true" };
        Require("id = ANY({0})", selection.Ids?.ToArray());
        Require("topic = {0}", selection.Topic);
        Require("event_type = {0}", selection.EventType);
        Require("key = {0}", selection.Key);
        Require(@"reason ILIKE {0} ESCAPE '\'", selection.Reason is { Length: > 0 } reason ? DatabaseValues.LikePattern(reason) : null);
        Require("created_at < {0}", selection.CreatedTo?.UtcDateTime);
        return string.Join(" AND ", conditions);

        void Require(string condition, object? value)
        {
            if (value is not null)
            {
                conditions.Add(condition.Replace("{0}", command.Add(value), StringComparison.Ordinal));
            }
        }
    }

    private static JsonNode? Payload(byte[] payload)
    {
        try
        {
            // Together with the page around it, not deeper than this service's own JSON may be.
            var json = JsonNode.Parse(payload, documentOptions: new() { MaxDepth = 24 });
            // JSON with invalid text, such as half of a surrogate pair, fails only when it is written, where it would make the whole list fail.
            json?.ToJsonString();
            return json;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return JsonValue.Create(Encoding.UTF8.GetString(payload));
        }
    }
}

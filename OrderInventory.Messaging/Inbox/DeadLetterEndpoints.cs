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

/// <summary>For the operator: what was set aside, and what to do about it.</summary>
public static class DeadLetterEndpoints
{
    private static readonly Paging s_paging = new("dead letters");

    /// <summary>A dead letter. <c>payload</c> is the JSON that was sent, or a string when it was not JSON.</summary>
    public sealed record Item(
        Guid Id, string Topic, int? Partition, long? Offset, string Key, Guid? EventId, string? EventType, string Reason, int Attempts,
        string? TraceId, DateTimeOffset CreatedAt, JsonNode? Payload);

    /// <summary>Maps <c>/api/{service}/dead-letters</c>.</summary>
    public static void MapDeadLetters(this IEndpointRouteBuilder routes, string service)
    {
        var group = routes.MapGroup($"/api/{service}/dead-letters").WithTags("Dead letters");
        group.MapGet("/", ListAsync).For(Policies.ReadDeadLetters).WithSummary("List dead letters, newest first").WithProblems(503);
        group.MapPost("/{id:guid}/replay", ReplayAsync).For(Policies.HandleDeadLetters).WithSummary("Hand a dead letter to this service's handler once more").WithProblems(404, 503);
        group.MapDelete("/{id:guid}", DeleteAsync).For(Policies.HandleDeadLetters).WithSummary("Give a dead letter up").WithProblems(404, 503);
    }

    private static async Task<Results<Ok<Page<Item>>, ProblemHttpResult>> ListAsync(
        int? limit, string? cursor, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } problem)
        {
            return problem;
        }

        await using var command = database.CreateCommand(
            """
            SELECT id, topic, partition, "offset", key, event_id, event_type, reason, attempts, trace_id, created_at, payload
            FROM dead_letters WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2
            """);
        command.Parameters.Add(new() { Value = (object?)after ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid });
        command.Parameters.Add(new() { Value = take + 1 });
        var items = new List<Item>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            items.Add(new(
                reader.GetGuid(0), reader.GetString(1), reader.GetFieldValue<int?>(2), reader.GetFieldValue<long?>(3), reader.GetString(4),
                reader.GetFieldValue<Guid?>(5), reader.GetStringOrNull(6), reader.GetString(7), reader.GetInt32(8),
                reader.GetStringOrNull(9), reader.GetFieldValue<DateTimeOffset>(10), Payload(reader.GetFieldValue<byte[]>(11))));
        }

        return TypedResults.Ok(s_paging.ToPage(items, take, item => item.Id));
    }

    /// <summary>
    /// 202 whether or not it could be applied: applied, it is gone from the list; failed again, it is the same entry with one attempt more.
    /// An own event that the broker refused goes back to the outbox.
    /// </summary>
    private static async Task<Results<Accepted, ProblemHttpResult>> ReplayAsync(
        Guid id, DeadLetterReplay replay, CancellationToken cancellationToken) =>
        await replay.ReplayAsync(id, cancellationToken) ? TypedResults.Accepted((string?)null) : Problems.NotFound("dead letter", id);

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(Guid id, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("DELETE FROM dead_letters WHERE id = $1");
        command.Parameters.Add(new() { Value = id });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1 ? TypedResults.NoContent() : Problems.NotFound("dead letter", id);
    }

    private static JsonNode? Payload(byte[] payload)
    {
        try
        {
            // Not deeper than this service's own JSON may be, with the page around it.
            var json = JsonNode.Parse(payload, documentOptions: new() { MaxDepth = 24 });
            // What is JSON but no text, such as half of a surrogate pair, is noticed only when it is written; there it would end the whole list.
            json?.ToJsonString();
            return json;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return JsonValue.Create(Encoding.UTF8.GetString(payload));
        }
    }
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Messaging.Outbox;

/// <summary>Shows the operator whether a service's events are being published.</summary>
public static class OutboxEndpoints
{
    /// <summary>The events that wait to be published.</summary>
    /// <param name="Length">Events that the broker has not acknowledged.</param>
    /// <param name="Oldest">When the oldest of them was written, UTC; null when none waits.</param>
    /// <param name="LagSeconds">How long ago that was, by the database's clock; 0 when none waits.</param>
    public sealed record Response(long Length, DateTimeOffset? Oldest, double LagSeconds);

    /// <summary>Maps <c>/api/{service}/outbox</c>.</summary>
    public static void MapOutbox(this IEndpointRouteBuilder routes, string service) => routes.MapGet($"/api/{service}/outbox", GetAsync)
        .WithName("GetOutbox").For(Policies.ReadDeadLetters).WithTags("Outbox").WithSummary("Read how many events wait to be published, and for how long").WithProblems(503);

    private static async Task<Ok<Response>> GetAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "SELECT count(*), min(created_at), coalesce(greatest(extract(epoch FROM now() - min(created_at)), 0), 0)::double precision FROM outbox_messages");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return TypedResults.Ok(new Response(
            reader.GetInt64(0), reader.IsDBNull(1) ? null : reader.GetFieldValue<DateTimeOffset>(1), Math.Round(reader.GetDouble(2), 3)));
    }
}

using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.ServiceDefaults.Data;

/// <summary>
/// A caller's Idempotency-Key and the resource created with it. Both are written in one transaction, so neither exists without the other.
/// </summary>
public sealed class IdempotencyKey
{
    /// <summary>A key belongs to its caller: two callers may use the same text.</summary>
    public required string Caller { get; init; }

    public required string Key { get; init; }

    /// <summary>The request's <see cref="RequestFingerprint"/>.</summary>
    public required byte[] Fingerprint { get; init; }

    public required Guid ResourceId { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
}

public static class IdempotencyExtensions
{
    /// <summary>Adds the table <c>idempotency_keys</c> to a service's model.</summary>
    public static void AddIdempotencyKeys(this ModelBuilder model) => model.Entity<IdempotencyKey>(key =>
    {
        key.ToTable("idempotency_keys");
        key.HasKey(k => new { k.Caller, k.Key });
        key.Property(k => k.CreatedAt).HasDefaultValueSql("now()");
        key.HasIndex(k => k.CreatedAt);
    });

    /// <summary>Adds the deletion of keys in <c>idempotency_keys</c> after <see cref="IdempotencyCleaner.Retention"/>.</summary>
    public static void AddIdempotencyCleaner(this IHostApplicationBuilder builder) =>
        builder.Services.AddHostedService<IdempotencyCleaner>();
}

/// <summary>
/// One POST that creates, with or without an Idempotency-Key. <see cref="BeginAsync"/> opens the transaction in which the resource is
/// created, and first writes the key there if there is one; <see cref="CommitAsync"/> commits both. Disposing it without a commit leaves no
/// key, so a refused request may be sent again with the same key.
/// </summary>
public sealed class IdempotentCreate : IAsyncDisposable
{
    /// <summary>The request header.</summary>
    public const string Header = "Idempotency-Key";

    /// <summary>The response header that is <c>true</c> when an earlier request created the resource.</summary>
    public const string ReplayedHeader = "Idempotency-Replayed";

    public const int MaxKeyLength = 255;

    private readonly IDbContextTransaction? _transaction;

    private IdempotentCreate(IDbContextTransaction? transaction) => _transaction = transaction;

    /// <summary>The answer when the request must not continue: 400, 409 or 422.</summary>
    public ProblemHttpResult? Problem { get; private init; }

    /// <summary>The resource that the same request created before; answer it again with 201.</summary>
    public Guid? Existing { get; private init; }

    /// <summary>Opens the transaction, and claims the request's key for <paramref name="resourceId"/> when it has one.</summary>
    /// <param name="http">The request; its response gets Retry-After or Idempotency-Replayed.</param>
    /// <param name="database">Where the resource will be saved.</param>
    /// <param name="caller">Whose key it is: the subject of the token, or a key space of it (<see cref="Identity.Caller.KeysOf"/>).</param>
    /// <param name="request">The parsed request.</param>
    /// <param name="json">How the request is written for its fingerprint.</param>
    /// <param name="resourceId">The resource that this request would create.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<IdempotentCreate> BeginAsync<T>(
        HttpContext http, DbContext database, string caller, T request, JsonTypeInfo<T> json, Guid resourceId, CancellationToken cancellationToken)
    {
        var malformed = ReadKey(http, out var key);
        if (malformed is not null)
        {
            return new(null) { Problem = malformed };
        }

        var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        if (key.Length == 0)
        {
            return new(transaction);
        }

        var fingerprint = RequestFingerprint.Of(request, json);
        var claim = await ClaimAsync(http, (NpgsqlConnection)database.Database.GetDbConnection(), transaction, caller, key, fingerprint, resourceId, cancellationToken);
        if (claim._transaction is null)
        {
            await transaction.DisposeAsync();
        }

        return claim;
    }

    /// <summary>Commits what was saved, and the key with it.</summary>
    public Task CommitAsync(CancellationToken cancellationToken) => _transaction!.CommitAsync(cancellationToken);

    public ValueTask DisposeAsync() => _transaction?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static async Task<IdempotentCreate> ClaimAsync(
        HttpContext http, NpgsqlConnection connection, IDbContextTransaction transaction,
        string caller, string key, RequestFingerprint fingerprint, Guid resourceId, CancellationToken cancellationToken)
    {
        // The key is written first. An uncommitted row cannot be read, only waited for, so a wait here means that a request with the key is in
        // flight.
        await using var claim = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("SET LOCAL lock_timeout = '250ms'"),
                new("INSERT INTO idempotency_keys (caller, key, fingerprint, resource_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
                {
                    Parameters = { new() { Value = caller }, new() { Value = key }, new() { Value = fingerprint.Hash }, new() { Value = resourceId } },
                },
                new("SET LOCAL lock_timeout TO DEFAULT"),
            },
        };
        try
        {
            if (await claim.ExecuteNonQueryAsync(cancellationToken) == 1)
            {
                return new(transaction);
            }
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            return new(null) { Problem = InFlight(http) };
        }

        await using var find = new NpgsqlCommand("SELECT fingerprint, resource_id FROM idempotency_keys WHERE caller = $1 AND key = $2", connection)
        {
            Parameters = { new() { Value = caller }, new() { Value = key } },
        };
        await using var reader = await find.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            // It has just been deleted because of its age.
            return new(null) { Problem = InFlight(http) };
        }

        if (!fingerprint.Is(reader.GetFieldValue<byte[]>(0)))
        {
            return new(null) { Problem = Reused() };
        }

        http.Response.Headers[ReplayedHeader] = "true";
        return new(transaction) { Existing = reader.GetGuid(1) };
    }

    /// <summary>The request's key, empty when it has none, or the problem with it.</summary>
    public static ProblemHttpResult? ReadKey(HttpContext http, out string key)
    {
        var header = http.Request.Headers[Header];
        key = header.ToString();
        return header.Count == 0 || (header.Count == 1 && key.Length is > 0 and <= MaxKeyLength && !key.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            ? null
            : Problems.MalformedRequest(Header, $"One key of 1 to {MaxKeyLength} printable ASCII characters is required.");
    }

    /// <summary>422: the key was used for another request.</summary>
    public static ProblemHttpResult Reused() => Problems.Of(
        "idempotency-key-reused", "The Idempotency-Key was used for another request.", StatusCodes.Status422UnprocessableEntity,
        "The same key was sent with a different body before. Use a new key for a new request.");

    /// <summary>409 with Retry-After: a request with the key has not committed yet.</summary>
    public static ProblemHttpResult InFlight(HttpContext http)
    {
        http.Response.Headers.RetryAfter = "1";
        return Problems.Conflict("idempotency-in-flight", "A request with this Idempotency-Key is being processed.",
            "Send the request again later to get its answer.");
    }
}

/// <summary>Deletes keys that are older than <see cref="Retention"/>.</summary>
internal sealed class IdempotencyCleaner(NpgsqlDataSource database, TimeProvider time, ILogger<IdempotencyCleaner> logger)
    : OldRowsCleaner("idempotency keys", time, logger)
{
    /// <summary>The shortest time a key is kept.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromHours(24);

    protected override async Task<int> DeleteSomeAsync(CancellationToken cancellationToken)
    {
        await using var delete = database.CreateCommand(
            """
            DELETE FROM idempotency_keys
            WHERE (caller, key) IN (SELECT caller, key FROM idempotency_keys WHERE created_at < now() - $1 ORDER BY created_at LIMIT 10000)
            """);
        delete.Parameters.Add(new() { Value = Retention });
        return await delete.ExecuteNonQueryAsync(cancellationToken);
    }
}

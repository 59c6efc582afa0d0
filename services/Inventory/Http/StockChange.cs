using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;
using Polly;

namespace OrderInventory.Inventory.Http;

/// <summary>The result of a change of stock: an answer, or the problem that refuses it.</summary>
internal sealed record Change<T>
{
    /// <summary>Set when the change was not refused.</summary>
    public T? Answer { get; private init; }

    /// <summary>Set when the change was refused. Nothing is written.</summary>
    public ProblemHttpResult? Refusal { get; private init; }

    /// <summary>The resource that an earlier request with the same Idempotency-Key created. Nothing is written.</summary>
    public Guid? CreatedEarlier { get; private init; }

    public bool IsWritten { get; private init; }

    public static implicit operator Change<T>(T answer) => new() { Answer = answer, IsWritten = true };

    public static implicit operator Change<T>(ProblemHttpResult refusal) => new() { Refusal = refusal };

    /// <summary>An answer without a change, as of a dry run: nothing is written, not even the request's Idempotency-Key.</summary>
    public static Change<T> Unwritten(T answer) => new() { Answer = answer };

    internal static Change<T> Before(Guid id) => new() { CreatedEarlier = id };
}

/// <summary>
/// Makes a change of stock that was not caused by an order's event: locks, decides, and writes it with its ledger rows and events, in one
/// transaction. A transaction that conflicts with another one is run again.
/// </summary>
internal sealed class StockChange(IDbContextFactory<InventoryDb> databases, StockLoader loader, OutboxSignal signal, ReadCache cache, TimeProvider time)
{
    // Another transaction inserted the same row at this moment; the retry sees it.
    private readonly ResiliencePipeline _retry = TransactionRetry.Create(time, PostgresErrorCodes.UniqueViolation);

    /// <param name="scope">What is locked while <paramref name="decide"/> runs.</param>
    /// <param name="decide">
    /// Changes the stock and returns the answer, or returns the problem. It may run again, on stock that is read again.
    /// </param>
    /// <param name="by">Who requested the change, for the ledger; null for a timer.</param>
    /// <param name="cancellationToken">Cancels before the commit only.</param>
    /// <param name="claim">Opens the transaction with the request's Idempotency-Key, for a POST that takes one.</param>
    public async Task<Change<T>> RunAsync<T>(
        StockScope scope, Func<Stock, Change<T>> decide, Caller? by, CancellationToken cancellationToken, Func<InventoryDb, Task<IdempotentCreate>>? claim = null) =>
        await _retry.ExecuteAsync(
            async token =>
            {
                await using var database = await databases.CreateDbContextAsync(token);
                await using var create = claim is null ? null : await claim(database);
                if (create is { Problem: { } problem })
                {
                    return problem;
                }

                if (create is { Existing: { } existing })
                {
                    return Change<T>.Before(existing);
                }

                await using var transaction = database.Database.CurrentTransaction ?? await database.Database.BeginTransactionAsync(token);
                var connection = (NpgsqlConnection)database.Database.GetDbConnection();
                var stock = await loader.LoadAsync(connection, scope, token, by);
                var change = decide(stock);
                if (change.IsWritten)
                {
                    await WriteAsync(connection, stock, token);
                    await transaction.CommitAsync(token);
                    signal.Wake();
                    cache.Invalidate(stock);
                }

                return change;
            },
            cancellationToken);

    /// <summary>
    /// Adjustments, counts and transfers: staff change the stock record of one product. The change is made once per Idempotency-Key and, if the
    /// request has If-Match, only while the record has that version. The response is 201 with the resulting level.
    /// </summary>
    /// <param name="kind">The kind of change. Each kind of change of each product has its own key space.</param>
    /// <param name="productId">The product, whose rows are locked while <paramref name="decide"/> runs.</param>
    /// <param name="request">The parsed request.</param>
    /// <param name="json">How the request is serialized for its fingerprint.</param>
    /// <param name="http">The request; its response gets the ETag.</param>
    /// <param name="caller">Who requested the change; the key is theirs.</param>
    /// <param name="decide">Changes the product and returns null, or returns the problem; nothing is written then. It may run again.</param>
    /// <param name="cancellationToken">Cancels before the commit only.</param>
    public async Task<Results<Created<StockLevel>, ProblemHttpResult>> OfRecordAsync<TRequest>(
        string kind, Guid productId, TRequest request, JsonTypeInfo<TRequest> json, HttpContext http, Caller caller,
        Func<Stock, ProductStock, ProblemHttpResult?> decide, CancellationToken cancellationToken)
    {
        var change = await RunAsync<StockLevel>(
            StockScope.ToChange(productId) with { FindStatus = true },
            stock =>
            {
                if (stock.Product(productId) is not { IsNew: false } product)
                {
                    return Problems.NotFound("stock record", productId);
                }

                if ((ETags.CheckIfMatch(http, product.Version, required: false) ?? decide(stock, product)) is { } refusal)
                {
                    return refusal;
                }

                return StockLevel.Of(product, stock.Now);
            },
            caller,
            cancellationToken,
            database => IdempotentCreate.BeginAsync(http, database, caller.KeysOf($"{kind} of {productId}"), request, json, productId, cancellationToken));
        if (change.Refusal is { } problem)
        {
            return problem;
        }

        if ((change.Answer ?? await ReadAsync(productId, cancellationToken)) is not { } level)
        {
            return Problems.NotFound("stock record", productId);
        }

        ETags.Set(http, level.Version);
        return TypedResults.Created($"/api/inventory/{productId}/movements", level);
    }

    private static async Task WriteAsync(NpgsqlConnection connection, Stock stock, CancellationToken cancellationToken)
    {
        await using var writes = new NpgsqlBatch(connection);
        writes.AddStock(stock);
        writes.AddOutbox([.. InventoryEvents.UpdatesOf(stock)]);
        if (writes.BatchCommands.Count > 0)
        {
            await writes.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>The level as it is now, for a request that was made before. A record that has been removed since has no units.</summary>
    private async Task<StockLevel?> ReadAsync(Guid productId, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.ReadLevelAsync(productId, evenRemoved: true, cancellationToken);
    }
}

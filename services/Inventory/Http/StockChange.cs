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

/// <summary>What came of a change of stock: an answer, or the problem that refuses it.</summary>
internal sealed record Change<T>
{
    /// <summary>Set when it was not refused; for a dry run nothing is written all the same.</summary>
    public T? Answer { get; private init; }

    /// <summary>Set when it was refused. Nothing is written.</summary>
    public ProblemHttpResult? Refusal { get; private init; }

    /// <summary>What an earlier request with the same Idempotency-Key has made. Nothing is written.</summary>
    public Guid? MadeBefore { get; private init; }

    public bool IsWritten { get; private init; }

    public static implicit operator Change<T>(T answer) => new() { Answer = answer, IsWritten = true };

    public static implicit operator Change<T>(ProblemHttpResult refusal) => new() { Refusal = refusal };

    public static Change<T> DryRun(T answer) => new() { Answer = answer };

    internal static Change<T> Before(Guid id) => new() { MadeBefore = id };
}

/// <summary>
/// A change of stock that no order's event has caused: lock, decide, write with its ledger rows and its events, in one transaction.
/// A transaction that met another one is run again.
/// </summary>
internal sealed class StockChange(IDbContextFactory<InventoryDb> databases, StockLoader loader, OutboxSignal signal, ReadCache cache, TimeProvider time)
{
    // Somebody else made the same row at this moment: now it is seen.
    private readonly ResiliencePipeline _again = TransactionRetry.Create(time, PostgresErrorCodes.UniqueViolation);

    /// <param name="scope">What is locked while <paramref name="decide"/> runs.</param>
    /// <param name="decide">Changes the stock and returns the answer, or returns the problem. It may run again, on stock read anew.</param>
    /// <param name="by">Who asks for it, for the ledger; null for a timer.</param>
    /// <param name="cancellationToken">Cancels before the commit only.</param>
    /// <param name="claim">Opens the transaction with the request's Idempotency-Key, for a POST that takes one.</param>
    public async Task<Change<T>> RunAsync<T>(
        StockScope scope, Func<Stock, Change<T>> decide, Caller? by, CancellationToken cancellationToken, Func<InventoryDb, Task<IdempotentCreate>>? claim = null) =>
        await _again.ExecuteAsync(
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
    /// Adjustments, counts and transfers: staff change the stock record of one product, once for an Idempotency-Key, and only while it is
    /// the version that they name if they name one, and are answered 201 with the level after it.
    /// </summary>
    /// <param name="kind">What is done. The keys of one kind of change of one product are a space of their own.</param>
    /// <param name="productId">Its rows are locked while <paramref name="decide"/> runs.</param>
    /// <param name="request">The parsed request.</param>
    /// <param name="json">How the request is written for its fingerprint.</param>
    /// <param name="http">The request; its response gets the ETag.</param>
    /// <param name="caller">Who asks for it, and whose the key is.</param>
    /// <param name="decide">Changes the product and returns null, or returns the problem; nothing is written then. It may run again.</param>
    /// <param name="cancellationToken">Cancels before the commit only.</param>
    public async Task<Results<Created<StockLevel>, ProblemHttpResult>> OfRecordAsync<TRequest>(
        string kind, Guid productId, TRequest request, JsonTypeInfo<TRequest> json, HttpContext http, Caller caller,
        Func<Stock, ProductStock, ProblemHttpResult?> decide, CancellationToken cancellationToken)
    {
        var change = await RunAsync<StockLevel>(
            StockScope.ToChange(productId) with { FindDeleted = true },
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

    private async Task<StockLevel?> ReadAsync(Guid productId, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.ReadLevelAsync(productId, cancellationToken);
    }
}

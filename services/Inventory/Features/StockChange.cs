using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// What adjustments, counts and transfers have in common: staff change the stock record of one product, once for an Idempotency-Key,
/// and only while it is the version that they name if they name one, and are answered 201 with the level after it.
/// </summary>
internal static class StockChange
{
    /// <param name="kind">What is done. The keys of one kind of change of one product are a space of their own.</param>
    /// <param name="productId">Its rows are locked while <paramref name="decide"/> runs.</param>
    /// <param name="request">The parsed request.</param>
    /// <param name="json">How the request is written for its fingerprint.</param>
    /// <param name="http">The request; its response gets the ETag.</param>
    /// <param name="database">For the key and the transaction.</param>
    /// <param name="writer">For the change.</param>
    /// <param name="decide">Changes the product and returns null, or returns the refusal; nothing is written then. It may run again.</param>
    /// <param name="cancellationToken">Cancels before the commit only.</param>
    public static Task<Results<Created<StockLevel>, ProblemHttpResult>> RunAsync<TRequest>(
        string kind, Guid productId, TRequest request, JsonTypeInfo<TRequest> json, HttpContext http, InventoryDb database, StockWriter writer,
        Func<StockBatch, ProductStock, ProblemHttpResult?> decide, CancellationToken cancellationToken) => StockWriter.RetryAsync<Results<Created<StockLevel>, ProblemHttpResult>>(async () =>
        {
            await using var create = await IdempotentCreate.BeginAsync(http, database, $"{kind} of {productId}", request, json, productId, cancellationToken);
            if (create.Problem is { } problem)
            {
                return problem;
            }

            if (create.Existing is not null)
            {
                var level = (await database.ReadLevelsAsync([productId], cancellationToken)).FirstOrDefault();
                return level is null ? Problems.NotFound("stock record", productId) : Answer(http, level);
            }

            StockLevel? answer = null;
            var (refusal, stock) = await writer.ChangeAsync<ProblemHttpResult>(
                (NpgsqlConnection)database.Database.GetDbConnection(),
                StockWriter.OneProduct(productId),
                (stock, _) =>
                {
                    if (stock.Product(productId) is not { IsNew: false } product)
                    {
                        return Task.FromResult<ProblemHttpResult?>(Problems.NotFound("stock record", productId));
                    }

                    if (ETags.CheckIfMatch(http, product.Version, required: false) is { } precondition)
                    {
                        return Task.FromResult<ProblemHttpResult?>(precondition);
                    }

                    var refused = decide(stock, product);
                    answer = StockLevel.Of(product, stock.Now);
                    return Task.FromResult(refused);
                },
                cancellationToken);
            if (refusal is not null)
            {
                return refusal;
            }

            await create.CommitAsync(cancellationToken);
            writer.Committed(stock);
            return Answer(http, answer!);
        });

    private static Created<StockLevel> Answer(HttpContext http, StockLevel level)
    {
        ETags.Set(http, level.Version);
        return TypedResults.Created($"/api/inventory/{level.ProductId}/movements", level);
    }
}

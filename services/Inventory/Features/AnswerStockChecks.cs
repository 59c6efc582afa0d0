using Npgsql;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Messaging.RequestReply;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// The stock check over Kafka, for a system whose services communicate only through Kafka: the same answers as <see cref="CheckStock"/> over
/// HTTP. Questions that arrive together are one query.
/// </summary>
internal sealed class AnswerStockChecks(NpgsqlDataSource database, IServiceProvider services, TimeProvider time, ILogger<AnswerStockChecks> logger)
    : RequestReplyResponder<StockCheckRequested, StockCheckReplied>(
        new(
            StockCheckRequested.Topic, StockCheckRequested.Type, EventsJson.Default.StockCheckRequested, Validate, StockCheckRequested.DeadlineHeader,
            InventoryEvents.StockCheckReplied),
        services, time, logger)
{
    /// <summary>What is wrong with a question, or null.</summary>
    public static string? Validate(StockCheckRequested question) => CheckStock.Validate(question) is { Any: true } errors
        ? string.Join(' ', errors.All.Select(error => $"{error.Key}: {string.Join(' ', error.Value)}"))
        : null;

    protected override Task<IReadOnlyList<StockCheckReplied>> AnswerAsync(IReadOnlyList<StockCheckRequested> requests, CancellationToken cancellationToken) =>
        CheckStock.AnswerAsync(database, requests, cancellationToken);
}

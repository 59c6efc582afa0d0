using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Clients;

/// <summary>What is known about the stock for an order's lines.</summary>
/// <param name="Short">The products that Inventory has just reported as short.</param>
/// <param name="IsKnown">False when Inventory did not answer.</param>
internal sealed record StockCheck(IReadOnlyList<Shortage> Short, bool IsKnown = true)
{
    public static readonly StockCheck Enough = new([]);
    public static readonly StockCheck Unknown = new([], IsKnown: false);
}

/// <summary>
/// Checks whether there is stock for an order without querying Inventory each time: its answers are cached for a few seconds, and an order
/// is accepted on a cached answer that is ample. Only a fresh answer can refuse an order; the reservation decides in any case.
/// </summary>
internal sealed partial class StockAdvice : IDisposable
{
    private const int MaxProducts = 100_000;

    /// <summary>Maximum age of a cached answer. Shorter if unknown stock refuses orders: a cached answer hides that Inventory is down.</summary>
    private readonly TimeSpan _longest;

    /// <summary>How long products are collected for one background query: at most four queries a second, however many orders come.</summary>
    private static readonly TimeSpan s_collectTime = TimeSpan.FromMilliseconds(250);

    private readonly Func<IStockCheck> _inventory;
    private readonly OrdersOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly StockQuestions _questions;
    private readonly MemoryCache _answers = new(new MemoryCacheOptions { SizeLimit = MaxProducts });
    private readonly HashSet<Guid> _stale = [];
    private bool _refreshing;

    public StockAdvice(Func<IStockCheck> inventory, IOptions<OrdersOptions> options, TimeProvider time, ILogger<StockAdvice> logger)
    {
        (_inventory, _options, _time, _logger) = (inventory, options.Value, time, logger);
        _longest = TimeSpan.FromSeconds(_options.WhenStockUnknown == WhenStockUnknown.Refuse ? 1 : 10);
        _questions = new(question => QueryAsync(question, CancellationToken.None));
    }

    /// <summary>Checks new lines that name no hold.</summary>
    public async Task<StockCheck> CheckAsync(IReadOnlyList<WantedLine> wanted, CancellationToken cancellationToken)
    {
        var products = SumUp(wanted);
        if (IsAmple(products))
        {
            return StockCheck.Enough;
        }

        return Compare(products, await _questions.QueryAsync([.. products.Select(p => new StockCheckLine(p.Key, p.Value))], cancellationToken));
    }

    /// <summary>Checks lines for which units already in the order or the hold count as available. Queries Inventory each time.</summary>
    public async Task<StockCheck> CheckAsync(IReadOnlyList<WantedLine> wanted, Guid? orderId, Guid? holdId, Guid? customerId, CancellationToken cancellationToken)
    {
        var products = SumUp(wanted);
        var question = new StockCheckRequested([.. products.Select(p => new StockCheckLine(p.Key, p.Value))], orderId, holdId, customerId);
        return Compare(products, await _inventory().CheckAsync(question, cancellationToken));
    }

    /// <summary>Null when the lines may be accepted; otherwise 409 <c>insufficient-stock</c>, or 503 when stock is unknown and <c>WhenStockUnknown</c> is <c>Refuse</c>.</summary>
    public ProblemHttpResult? Refuse(HttpContext http, StockCheck check) => check switch
    {
        { Short.Count: > 0 } => Problems.Conflict(
            "insufficient-stock", "Not enough stock.", "Nothing was reserved and no order was placed or changed. See lines.", ("lines", check.Short)),
        { IsKnown: false } when _options.WhenStockUnknown == WhenStockUnknown.Refuse => Problems.Unavailable(http, "Inventory"),
        _ => null,
    };

    /// <summary>Drops the cached answers for products for which Inventory refused an order, so that the next order queries again.</summary>
    public void Forget(IEnumerable<Shortage> refused)
    {
        foreach (var shortage in refused)
        {
            _answers.Remove(shortage.ProductId);
        }
    }

    public void Dispose() => _answers.Dispose();

    /// <summary>
    /// Whether the cached answers are ample for all products: at least a hundred times what is wanted plus ten times what this process has
    /// accepted since. So nine replicas that all do the same cannot accept more than there was before they query again.
    /// </summary>
    private bool IsAmple(Dictionary<Guid, long> wanted)
    {
        var answers = new List<(Answer Answer, long Wanted)>(wanted.Count);
        foreach (var (product, units) in wanted)
        {
            if (!_answers.TryGetValue(product, out Answer? answer) || _time.GetElapsedTime(answer!.At) > _longest
                || (100 * units) + (10 * Interlocked.Read(ref answer.Passed)) > answer.Available)
            {
                return false;
            }

            answers.Add((answer, units));
        }

        answers.ForEach(a => Interlocked.Add(ref a.Answer.Passed, a.Wanted));
        foreach (var (answer, _) in answers)
        {
            // Refreshed early, so that the next orders need not wait for the answer.
            if (_time.GetElapsedTime(answer.At) > _longest / 2)
            {
                RefreshSoon(answer.ProductId);
            }
        }

        return true;
    }

    private static Dictionary<Guid, long> SumUp(IReadOnlyList<WantedLine> wanted)
    {
        var sums = new Dictionary<Guid, long>(wanted.Count);
        foreach (var (product, quantity) in wanted)
        {
            sums[product] = sums.GetValueOrDefault(product) + quantity;
        }

        return sums;
    }

    private static StockCheck Compare(Dictionary<Guid, long> wanted, StockCheckReplied? answer) => answer is null ? StockCheck.Unknown
        : new([.. answer.Lines.Where(l => wanted.GetValueOrDefault(l.ProductId) > l.Available).Select(l => new Shortage(l.ProductId, wanted[l.ProductId], l.Available))]);

    private async Task<StockCheckReplied?> QueryAsync(StockCheckRequested question, CancellationToken cancellationToken)
    {
        // Taken before the question, so that an answer never counts as younger than it is.
        var at = _time.GetTimestamp();
        var answer = await _inventory().CheckAsync(question, cancellationToken);
        foreach (var line in answer?.Lines ?? [])
        {
            _answers.Set(line.ProductId, new Answer(line.ProductId, line.Available, at), new MemoryCacheEntryOptions { Size = 1 });
        }

        return answer;
    }

    private void RefreshSoon(Guid product)
    {
        lock (_stale)
        {
            if (!_stale.Add(product) || _refreshing)
            {
                return;
            }

            _refreshing = true;
        }

        // The refresh serves many orders, so it belongs to no order's trace.
        using (ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(RefreshAsync);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "After any failure, the next order queries Inventory itself when the answers are too old.")]
    private async Task RefreshAsync()
    {
        while (true)
        {
            await Task.Delay(s_collectTime, _time);
            List<StockCheckLine> lines;
            lock (_stale)
            {
                lines = [.. _stale.Take(StockQuestions.MaxLines).Select(product => new StockCheckLine(product, 1))];
                if (lines.Count == 0)
                {
                    _refreshing = false;
                    return;
                }

                lines.ForEach(line => _stale.Remove(line.ProductId));
            }

            try
            {
                await QueryAsync(new(lines), CancellationToken.None);
            }
            catch (Exception exception)
            {
                LogFailed(exception);
            }
        }
    }

    private sealed record Answer(Guid ProductId, long Available, long At)
    {
        /// <summary>Units that this process has accepted on this answer.</summary>
        public long Passed;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Remembered stock could not be refreshed")]
    private partial void LogFailed(Exception exception);
}

using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Clients;

/// <summary>What is known of the stock for the lines of an order.</summary>
/// <param name="Short">The products that Inventory has just reported as short.</param>
/// <param name="IsKnown">False when Inventory did not answer.</param>
internal sealed record StockCheck(IReadOnlyList<Shortage> Short, bool IsKnown = true)
{
    public static readonly StockCheck Enough = new([]);
    public static readonly StockCheck Unknown = new([], IsKnown: false);
}

/// <summary>
/// Whether there is stock for an order, without a question for each one: what Inventory answered is remembered for a few seconds, and while
/// it was ample an order is accepted on it. Only a fresh answer refuses one; and the reservation decides in any case.
/// </summary>
internal sealed partial class StockAdvice : IDisposable
{
    private const int MaxProducts = 100_000;

    /// <summary>An older answer is none. Where no answer means no order, an answer is soon too old: it would hide that Inventory is away.</summary>
    private readonly TimeSpan _longest;

    /// <summary>How long products are gathered for one question behind the orders: so it is four a second, however many orders come.</summary>
    private static readonly TimeSpan s_gather = TimeSpan.FromMilliseconds(250);

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
        _questions = new(question => AskAsync(question, CancellationToken.None));
    }

    /// <summary>For new lines that name no hold.</summary>
    public async Task<StockCheck> CheckAsync(IReadOnlyList<WantedLine> wanted, CancellationToken cancellationToken)
    {
        var products = SumUp(wanted);
        if (IsAmple(products))
        {
            return StockCheck.Enough;
        }

        return Compare(products, await _questions.AskAsync([.. products.Select(p => new StockCheckLine(p.Key, p.Value))], cancellationToken));
    }

    /// <summary>For lines to which what an order or a hold has already counts as available; that is asked each time.</summary>
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
            "insufficient-stock", "Not enough stock.", "Nothing was reserved and no order was made or changed; see lines.", ("lines", check.Short)),
        { IsKnown: false } when _options.WhenStockUnknown == WhenStockUnknown.Refuse => Problems.Unavailable(http, "Inventory"),
        _ => null,
    };

    /// <summary>Inventory has refused an order for these: whatever was remembered of them, the next order asks.</summary>
    public void Forget(IEnumerable<Shortage> refused)
    {
        foreach (var shortage in refused)
        {
            _answers.Remove(shortage.ProductId);
        }
    }

    public void Dispose() => _answers.Dispose();

    /// <summary>
    /// Whether all products were ample when they were last asked for. Ample is a hundred times what is wanted, beside ten times what this
    /// process has let pass since: nine replicas that all do the same cannot give away more than there was before they ask again.
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
            // In time for the next orders, so that these need not wait for the answer.
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

    private async Task<StockCheckReplied?> AskAsync(StockCheckRequested question, CancellationToken cancellationToken)
    {
        // Before the question: the answer is at least as old as that.
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

        // It serves many orders, so it belongs to the trace of none.
        using (ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(RefreshAsync);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever it fails with, the next order asks itself when the answers are too old.")]
    private async Task RefreshAsync()
    {
        while (true)
        {
            await Task.Delay(s_gather, _time);
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
                await AskAsync(new(lines), CancellationToken.None);
            }
            catch (Exception exception)
            {
                LogFailed(exception);
            }
        }
    }

    private sealed record Answer(Guid ProductId, long Available, long At)
    {
        /// <summary>Units for which this process has not asked since.</summary>
        public long Passed;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What is known of the stock could not be brought up to date")]
    private partial void LogFailed(Exception exception);
}

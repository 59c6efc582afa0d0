using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using OrderInventory.Contracts.Inventory;

namespace OrderInventory.Orders.Clients;

/// <summary>
/// Combines stock checks: a limited number of questions runs at the same time, and checks that arrive meanwhile are combined into one question
/// when one of those is answered. A caller who cancels does not cancel the question for the others.
/// </summary>
/// <param name="query">Queries Inventory; null when there is no answer.</param>
internal sealed class StockQuestions(Func<StockCheckRequested, Task<StockCheckReplied?>> query)
{
    /// <summary>Maximum lines of one question: as many as an order may have and Inventory accepts.</summary>
    public const int MaxLines = 500;

    private const int MaxRunning = 8;

    private readonly Lock _lock = new();
    private readonly Queue<Question> _waiting = new();
    private int _running;

    /// <param name="lines">One for each product, at most <see cref="MaxLines"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>An answer with at least these products; null when Inventory does not answer.</returns>
    public Task<StockCheckReplied?> QueryAsync(IReadOnlyList<StockCheckLine> lines, CancellationToken cancellationToken)
    {
        var question = new Question(lines);
        lock (_lock)
        {
            _waiting.Enqueue(question);
            if (_running == MaxRunning)
            {
                return question.Answer.Task.WaitAsync(cancellationToken);
            }

            _running++;
        }

        _ = QueryWaitingAsync();
        return question.Answer.Task.WaitAsync(cancellationToken);
    }

    [SuppressMessage("Design", "CA1031", Justification = "It is passed to the callers that wait for it.")]
    private async Task QueryWaitingAsync()
    {
        while (Take() is { Count: > 0 } questions)
        {
            try
            {
                // The question appears only in the trace of the first order.
                Activity.Current = questions[0].Trace;
                // Only the available quantity in the answer is used, so one line per product is enough: the largest.
                var lines = questions.SelectMany(q => q.Lines).GroupBy(l => l.ProductId).Select(g => g.MaxBy(l => l.Quantity)!);
                var answer = await query(new([.. lines]));
                questions.ForEach(q => q.Answer.SetResult(answer));
            }
            catch (Exception exception)
            {
                questions.ForEach(q => q.Answer.SetException(exception));
            }
        }
    }

    /// <summary>Takes as many waiting checks as fit into one question; when none waits, lowers the number of running questions.</summary>
    private List<Question> Take()
    {
        var questions = new List<Question>();
        var size = 0;
        lock (_lock)
        {
            while (_waiting.TryPeek(out var next) && (size += next.Lines.Count) <= MaxLines)
            {
                questions.Add(_waiting.Dequeue());
            }

            if (questions.Count == 0)
            {
                _running--;
            }
        }

        return questions;
    }

    private sealed record Question(IReadOnlyList<StockCheckLine> Lines)
    {
        public TaskCompletionSource<StockCheckReplied?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public Activity? Trace { get; } = Activity.Current;
    }
}

using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace OrderInventory.Orders.Data;

/// <summary>
/// Writes the items of many requests in groups: items that arrive while a transaction runs share the next one; a lone item does not wait for
/// others. An item that cannot be written does not fail the others of its group.
/// </summary>
internal abstract class GroupWriter<T, TResult>(TimeProvider time) : BackgroundService
    where TResult : struct
{
    private readonly GroupQueue<Waiting> _waiting = new(time);

    /// <summary>Writes a group in one transaction.</summary>
    /// <returns>The result for each item of the group.</returns>
    /// <exception cref="PostgresException">Nothing was written.</exception>
    protected abstract Task<TResult> WriteAsync(List<T> group);

    /// <summary>The result for an item whose transaction, with no other item in it, failed; null when the failure is not an expected one.</summary>
    protected abstract TResult? Outcome(PostgresException exception);

    /// <summary>Called when a group failed for another reason: its transaction may still have been committed.</summary>
    protected abstract void OnWriteAttempted();

    /// <exception cref="OperationCanceledException">The caller cancelled before the item was written; it may still be written.</exception>
    protected Task<TResult> AddAsync(T item, CancellationToken cancellationToken)
    {
        var waiting = new Waiting(item);
        return _waiting.TryAdd(waiting)
            ? waiting.Written.Task.WaitAsync(cancellationToken)
            : throw new OperationCanceledException("The service is stopping.");
    }

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        _waiting.Complete();
        return base.StopAsync(cancellationToken);
    }

    /// <summary>Ends when the last accepted item is written.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var group = new List<Waiting>();
        while (await _waiting.TakeAsync(group))
        {
            await WriteGroupAsync(group);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "It is passed to the request that waits for it.")]
    private async Task WriteGroupAsync(List<Waiting> group)
    {
        // The write appears only in the trace of the first item.
        Activity.Current = group[0].Trace;
        try
        {
            var result = await WriteAsync(group.ConvertAll(waiting => waiting.Item));
            group.ForEach(waiting => waiting.Written.SetResult(result));
        }
        catch (PostgresException) when (group.Count > 1)
        {
            await WriteGroupAsync(group[..(group.Count / 2)]);
            await WriteGroupAsync(group[(group.Count / 2)..]);
        }
        catch (PostgresException exception) when (Outcome(exception) is { } outcome)
        {
            group[0].Written.SetResult(outcome);
        }
        catch (Exception exception)
        {
            OnWriteAttempted();
            group.ForEach(waiting => waiting.Written.SetException(exception));
        }
    }

    private sealed record Waiting(T Item)
    {
        public TaskCompletionSource<TResult> Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public Activity? Trace { get; } = Activity.Current;
    }
}

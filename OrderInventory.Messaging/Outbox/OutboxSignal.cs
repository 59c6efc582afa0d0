using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace OrderInventory.Messaging.Outbox;

/// <summary>
/// Hands committed messages to this process's relay. Messages written with <see cref="OutboxSql.WriteAsync"/> are handed over in memory, so that
/// the relay need not read them. This only saves work: a message lost on the way is still in the table, which the relay reads at its start,
/// after a failure, after it took slots over, and from time to time.
/// </summary>
public sealed class OutboxSignal : IDisposable
{
    /// <summary>Writes beyond this number wait only in the table, so that an unavailable broker costs no memory.</summary>
    private const int MaxWaiting = 4096;

    private readonly ConcurrentQueue<OutboxWrite> _writes = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private int _tableRequested;

    /// <summary>The transaction of the write has committed. Cheap, never blocks.</summary>
    public void Committed(OutboxWrite write)
    {
        if (write.Messages.Count == 0)
        {
            return;
        }

        if (_writes.Count < MaxWaiting)
        {
            _writes.Enqueue(write);
            Signal();
        }
        else
        {
            Wake();
        }
    }

    /// <summary>Rows may exist that were not handed over: EF Core wrote them, or the outcome of a commit is unknown. Cheap, never blocks.</summary>
    public void Wake()
    {
        Interlocked.Exchange(ref _tableRequested, 1);
        Signal();
    }

    public void Dispose() => _signal.Dispose();

    /// <summary>The relay has something to do. Any number of calls count as one.</summary>
    internal void Signal()
    {
        if (_signal.CurrentCount == 0)
        {
            try
            {
                _signal.Release();
            }
            catch (SemaphoreFullException)
            {
                // Another thread released it between the check and the release.
            }
        }
    }

    internal bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out OutboxWrite? write) => _writes.TryDequeue(out write);

    /// <summary>Whether a read of the table was requested. The request is cleared.</summary>
    internal bool TakeTableRequest() => Interlocked.Exchange(ref _tableRequested, 0) == 1;

    internal Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken) => _signal.WaitAsync(timeout, cancellationToken);
}

/// <summary>Wakes the relay when EF Core has saved changes or committed a transaction.</summary>
internal sealed class OutboxWaker(OutboxSignal signal) : DbTransactionInterceptor, ISaveChangesInterceptor
{
    public ValueTask<int> SavedChangesAsync(SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        // Inside a caller's transaction the rows become visible with the commit, which wakes the relay below.
        if (eventData.Context?.Database.CurrentTransaction is null)
        {
            signal.Wake();
        }

        return ValueTask.FromResult(result);
    }

    public override Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        signal.Wake();
        return Task.CompletedTask;
    }
}

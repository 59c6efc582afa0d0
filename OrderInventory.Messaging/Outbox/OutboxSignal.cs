using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace OrderInventory.Messaging.Outbox;

/// <summary>
/// Hands committed messages to this process's relay. What was written with <see cref="OutboxSql.WriteAsync"/> is handed over in memory, so that
/// the relay need not read it. That only saves work: what is lost on the way is in the table, which the relay reads at its start, after a
/// failure, when it takes slots over, and from time to time.
/// </summary>
public sealed class OutboxSignal : IDisposable
{
    /// <summary>More writes than these wait in the table alone, so that a broker that is away costs no memory.</summary>
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

    /// <summary>There may be rows that were not handed over: EF Core wrote them, or it is not known whether a commit succeeded. Cheap, never blocks.</summary>
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
                // Another thread has released it between the check and the release.
            }
        }
    }

    internal bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out OutboxWrite? write) => _writes.TryDequeue(out write);

    /// <summary>Whether a read of the table was requested. The request is cleared.</summary>
    internal bool TakeTableRequest() => Interlocked.Exchange(ref _tableRequested, 0) == 1;

    internal Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken) => _signal.WaitAsync(timeout, cancellationToken);
}

/// <summary>Wakes the relay when EF Core has saved, or has committed a transaction.</summary>
internal sealed class OutboxWaker(OutboxSignal signal) : DbTransactionInterceptor, ISaveChangesInterceptor
{
    public ValueTask<int> SavedChangesAsync(SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        // Inside a transaction of the caller's the commit below is the moment.
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

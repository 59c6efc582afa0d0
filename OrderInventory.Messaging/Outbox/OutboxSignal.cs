using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace OrderInventory.Messaging.Outbox;

/// <summary>
/// Wakes this process's relay after a commit, so that an event leaves within a millisecond. Only a hint: a relay that missed it, or
/// that runs in another replica, finds the rows by polling.
/// </summary>
public sealed class OutboxSignal : IDisposable
{
    private readonly SemaphoreSlim _signal = new(0, 1);

    /// <summary>There may be rows to publish. Cheap, never blocks, any number of calls count as one.</summary>
    public void Wake()
    {
        if (_signal.CurrentCount == 0)
        {
            try
            {
                _signal.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else woke it between the look and the release.
            }
        }
    }

    public void Dispose() => _signal.Dispose();

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

using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Npgsql;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Domain;

namespace OrderInventory.Orders.Data;

/// <summary>A new order with all that is written with it.</summary>
/// <param name="Order">The order.</param>
/// <param name="By">Who places it, and whose the key is.</param>
/// <param name="Key">Its Idempotency-Key.</param>
/// <param name="Fingerprint">Of its request.</param>
/// <param name="Created">Its event.</param>
/// <param name="Copies">What it was priced with; must still be current.</param>
internal sealed record Placement(Order Order, Actor By, string Key, byte[] Fingerprint, OutboxMessage Created, CopiesUsed Copies)
{
    /// <summary>Made here, in the trace of the request.</summary>
    public HistoryEntry Placed { get; } = History.Placed(Order, Created, By);
}

internal enum InsertResult
{
    Inserted,

    /// <summary>Another order has the key.</summary>
    KeyIsTaken,

    /// <summary>A request with the key has not committed yet.</summary>
    KeyIsInFlight,

    /// <summary>A product or the customer has changed since the order was priced.</summary>
    CopiesChanged,
}

/// <summary>
/// The hottest path of the service: one round trip, which is the whole transaction. Orders that arrive while others are being written go
/// together in the next one: under load one commit serves many; an order that comes alone does not wait for company.
/// </summary>
internal sealed class PlacementWriter(NpgsqlDataSource database, OutboxSignal signal, TimeProvider time) : BackgroundService
{
    private readonly GroupQueue<Waiting> _waiting = new(time);

    /// <summary>Key, order, lines, history and event are on disk when it returns <see cref="InsertResult.Inserted"/>; nothing is otherwise.</summary>
    /// <exception cref="OperationCanceledException">The caller has gone before it was written; it may be written all the same.</exception>
    public Task<InsertResult> InsertAsync(Placement placement, CancellationToken cancellationToken)
    {
        var waiting = new Waiting(placement);
        return _waiting.TryAdd(waiting)
            ? waiting.Written.Task.WaitAsync(cancellationToken)
            : throw new OperationCanceledException("The service is being stopped.");
    }

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        _waiting.Complete();
        return base.StopAsync(cancellationToken);
    }

    /// <summary>Ends when the last order that was taken is written.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var group = new List<Waiting>();
        while (await _waiting.TakeAsync(group))
        {
            await WriteGroupAsync(group);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "It is handed to the request that waits for it.")]
    private async Task WriteGroupAsync(List<Waiting> group)
    {
        // Of several orders the first one's trace shows the write.
        Activity.Current = group[0].Trace;
        try
        {
            await using var connection = await database.OpenConnectionAsync();
            await using var batch = new NpgsqlBatch(connection);
            PlacementSql.Add(batch, group.ConvertAll(waiting => waiting.Placement));
            signal.Committed(await batch.WriteAsync(group.ConvertAll(waiting => waiting.Placement.Created), CancellationToken.None));
            group.ForEach(waiting => waiting.Written.SetResult(InsertResult.Inserted));
        }
        catch (PostgresException) when (group.Count > 1)
        {
            // Nothing was written. One of them has a key that is taken, or an old price: that must not fail the others.
            await WriteGroupAsync(group[..(group.Count / 2)]);
            await WriteGroupAsync(group[(group.Count / 2)..]);
        }
        catch (PostgresException exception) when (PlacementSql.Outcome(exception) is { } outcome)
        {
            group[0].Written.SetResult(outcome);
        }
        catch (Exception exception)
        {
            // It may have been committed all the same.
            signal.Wake();
            group.ForEach(waiting => waiting.Written.SetException(exception));
        }
    }

    private sealed record Waiting(Placement Placement)
    {
        public TaskCompletionSource<InsertResult> Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public Activity? Trace { get; } = Activity.Current;
    }
}

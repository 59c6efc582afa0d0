using Npgsql;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Messaging.Inbox;

/// <summary>The one transaction of a consumed batch: inbox rows, effects, and the events that follow from them.</summary>
public sealed class InboxBatch
{
    private readonly List<OutboxMessage> _outbox = [];
    private readonly List<Action> _afterCommit = [];

    internal InboxBatch(NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        Connection = connection;
        Writes = new NpgsqlBatch(connection, transaction);
    }

    /// <summary>For reads and locks that decisions need. The transaction is open on it.</summary>
    public NpgsqlConnection Connection { get; }

    /// <summary>Statements that need no answer; they go in one round trip, with the outbox, just before the commit.</summary>
    public NpgsqlBatch Writes { get; }

    /// <summary>Publishes an event if and only if this transaction commits.</summary>
    public void Publish(OutboxMessage message) => _outbox.Add(message);

    /// <summary>Runs after the commit, for what may be lost: cache invalidation, waking a waiter. It must not throw.</summary>
    public void AfterCommit(Action action) => _afterCommit.Add(action);

    /// <summary>
    /// Writes and commits in one round trip: <paramref name="inbox"/> first, so that an event that was handled before fails there and nowhere else.
    /// </summary>
    internal async Task<OutboxWrite> CommitAsync(NpgsqlBatchCommand? inbox, CancellationToken cancellationToken)
    {
        if (inbox is not null)
        {
            Writes.BatchCommands.Insert(0, inbox);
        }

        return await Writes.WriteAsync(_outbox, cancellationToken, new NpgsqlBatchCommand("COMMIT"));
    }

    internal void RunAfterCommit() => _afterCommit.ForEach(action => action());
}

using Npgsql;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Messaging.Inbox;

/// <summary>The one transaction of a consumed batch: inbox rows, effects, and the events that follow from them.</summary>
public sealed class InboxBatch
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly List<OutboxMessage> _outbox = [];
    private readonly List<Action> _afterCommit = [];
    private int _ownWrites;

    /// <param name="connection">An open connection.</param>
    /// <param name="transaction">A transaction on it.</param>
    /// <param name="inbox">Writes the inbox rows before all other writes, so that an event handled before fails there and only there.</param>
    internal InboxBatch(NpgsqlConnection connection, NpgsqlTransaction transaction, NpgsqlBatchCommand? inbox)
    {
        _connection = connection;
        _transaction = transaction;
        Writes = new(connection, transaction);
        if (inbox is not null)
        {
            Writes.BatchCommands.Add(inbox);
            _ownWrites = 1;
        }
    }

    /// <summary>Statements whose results are not needed. They run in one round trip with the outbox and the commit.</summary>
    public NpgsqlBatch Writes { get; private set; }

    /// <summary>
    /// The connection for reads and locks that decisions need. Get it before adding anything to <see cref="Writes"/>. Statements that an earlier
    /// handler of the batch added there are run first: they may write the rows that this handler decides on.
    /// </summary>
    public async Task<NpgsqlConnection> GetConnectionAsync(CancellationToken cancellationToken)
    {
        if (Writes.BatchCommands.Count > _ownWrites)
        {
            await Writes.ExecuteNonQueryAsync(cancellationToken);
            Writes = new(_connection, _transaction);
            _ownWrites = 0;
        }

        return _connection;
    }

    /// <summary>Publishes an event if and only if this transaction commits.</summary>
    public void Publish(OutboxMessage message) => _outbox.Add(message);

    /// <summary>Runs an action after the commit. Only for work that may be lost: cache invalidation, waking a waiter. It must not throw.</summary>
    public void AfterCommit(Action action) => _afterCommit.Add(action);

    /// <summary>Writes and commits in one round trip.</summary>
    internal Task<OutboxWrite> CommitAsync(CancellationToken cancellationToken) =>
        Writes.WriteAsync(_outbox, cancellationToken, new NpgsqlBatchCommand("COMMIT"));

    internal void RunAfterCommit() => _afterCommit.ForEach(action => action());
}

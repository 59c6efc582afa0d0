namespace OrderInventory.Messaging.Inbox;

/// <summary>
/// Applies events to this service's database. It gets the events of a batch together, those of a key in their order, and writes set-based:
/// one statement per table, not per event. It may run more than once for the same events, alone with one of them too: when the transaction has
/// failed, and when an event turns out to have been handled before, which undoes the transaction. So all that it does must be in
/// <see cref="InboxBatch"/>'s transaction.
/// </summary>
public interface IBatchHandler
{
    /// <summary>Reads and locks by <see cref="InboxBatch.GetConnectionAsync"/>, decides, and leaves writes and events with the batch.</summary>
    Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken);
}

namespace OrderInventory.Messaging.Inbox;

/// <summary>
/// Applies events to this service's database. It gets the events of a batch together, those of one key in their order, and writes set-based:
/// one statement per table, not per event. It may run more than once for the same events, also with only one of them: after the transaction
/// failed, and after an event turned out to have been handled before, which rolls the transaction back. So everything it does must be in the
/// transaction of <see cref="InboxBatch"/>.
/// </summary>
public interface IBatchHandler
{
    /// <summary>Reads and locks through <see cref="InboxBatch.GetConnectionAsync"/>, decides, and adds writes and events to the batch.</summary>
    Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken);
}

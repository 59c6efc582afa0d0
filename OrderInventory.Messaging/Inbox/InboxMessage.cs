namespace OrderInventory.Messaging.Inbox;

/// <summary>An event whose effects are committed.</summary>
public sealed class InboxMessage
{
    public Guid Id { get; private set; }
    public DateTimeOffset HandledAt { get; private set; }
}

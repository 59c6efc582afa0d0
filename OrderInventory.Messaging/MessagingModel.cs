using Microsoft.EntityFrameworkCore;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;

namespace OrderInventory.Messaging;

public static class MessagingModel
{
    /// <summary>Adds the tables of outbox, inbox and dead letters to a service's model.</summary>
    public static void AddMessaging(this ModelBuilder model)
    {
        model.Entity<OutboxMessage>(message =>
        {
            message.ToTable("outbox_messages");
            // The relay reads in the order of this key, so no other index is needed. The table is nearly always empty.
            message.HasKey(m => new { m.Slot, m.Key, m.Version, m.Id });
            // Comparing bytes is faster than linguistic collation, and any fixed order is sufficient.
            message.Property(m => m.Key).UseCollation("C");
            message.Property(m => m.Headers).HasColumnType("json");
        });
        model.Entity<OutboxSlot>(slot =>
        {
            slot.ToTable("outbox_slots");
            slot.HasKey(s => s.Slot);
            slot.Property(s => s.Slot).ValueGeneratedNever();
            slot.HasData(Enumerable.Range(0, OutboxMessage.SlotCount).Select(i => new { Slot = (short)i }));
        });
        model.Entity<OutboxRelayHeartbeat>(heartbeat =>
        {
            heartbeat.ToTable("outbox_relay_heartbeats");
            heartbeat.HasKey(h => h.Owner);
        });
        model.Entity<InboxMessage>(message =>
        {
            message.ToTable("inbox_messages");
            message.HasKey(m => m.Id);
            message.Property(m => m.Id).ValueGeneratedNever();
        });
        model.Entity<DeadLetter>(letter =>
        {
            letter.ToTable("dead_letters");
            letter.HasKey(d => d.Id);
            letter.Property(d => d.Headers).HasColumnType("json");
            letter.HasIndex(d => new { d.Topic, d.Partition, d.Offset }).IsUnique();
        });
    }
}

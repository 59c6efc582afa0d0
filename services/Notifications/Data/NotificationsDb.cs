using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Customers;
using OrderInventory.Messaging;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.Data;

public sealed class NotificationsDb(DbContextOptions<NotificationsDb> options) : DbContext(options)
{
    public DbSet<Notification> Notifications => Set<Notification>();

    public DbSet<Webhook> Webhooks => Set<Webhook>();

    public DbSet<WebhookDelivery> WebhookDeliveries => Set<WebhookDelivery>();

    public DbSet<MessageTemplate> MessageTemplates => Set<MessageTemplate>();

    public DbSet<MessageTemplateVersion> MessageTemplateVersions => Set<MessageTemplateVersion>();

    internal DbSet<ChangeEntry> Changes => Set<ChangeEntry>();

    public DbSet<StaffMember> Staff => Set<StaffMember>();

    public DbSet<Recipient> Recipients => Set<Recipient>();

    public DbSet<StockAlert> StockAlerts => Set<StockAlert>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.AddMessaging();
        modelBuilder.AddIdempotencyKeys();
        modelBuilder.Entity<Notification>(notification =>
        {
            notification.ToTable("notifications");
            notification.Property(n => n.Id).ValueGeneratedNever();
            notification.Property(n => n.Data).HasColumnType("jsonb");
            notification.Property(n => n.Status).HasConversion(s => Name(s), s => Parse<NotificationStatus>(s));
            notification.Property(n => n.Channel).HasConversion(c => Name(c), c => Parse<NotificationChannel>(c));
            notification.HasIndex(n => new { n.EventId, n.Template, n.Channel, n.RecipientRef }).IsUnique();
            // An order has few notifications. A customer has many, so theirs are read in the order of the list.
            notification.HasIndex(n => n.OrderId).HasFilter("order_id IS NOT NULL");
            notification.HasIndex(n => new { n.CustomerId, n.Id }).HasFilter("customer_id IS NOT NULL");
            // Sent rows leave this index, so the cost of the sender's query does not depend on the size of the history.
            notification.HasIndex(n => new { n.Channel, n.NextAttemptAt }).HasDatabaseName("ix_notifications_pending").HasFilter("status = 'pending'");
            // Deleting a member of staff erases what was written to them.
            notification.HasIndex(n => n.RecipientRef).HasFilter("customer_id IS NULL AND channel <> 'webhook'");
            // The deliveries of one webhook (its lane).
            notification.HasIndex(n => new { n.RecipientRef, n.NextAttemptAt }).HasDatabaseName("ix_notifications_webhook")
                .HasFilter("status = 'pending' AND channel = 'webhook'");
            notification.HasIndex(n => n.Id).HasDatabaseName("ix_notifications_failed").HasFilter("status = 'failed'");
        });
        modelBuilder.Entity<Webhook>(webhook =>
        {
            webhook.ToTable("webhooks");
            webhook.Property(w => w.Id).ValueGeneratedNever();
            webhook.Property(w => w.Version).IsConcurrencyToken();
            // An erasure looks for the customer's own webhooks.
            webhook.HasIndex(w => w.CustomerId).HasFilter("customer_id IS NOT NULL");
        });
        modelBuilder.Entity<WebhookEvent>(kept =>
        {
            kept.ToTable("webhook_events");
            kept.HasKey(e => e.EventId);
            kept.Property(e => e.EventId).ValueGeneratedNever();
        });
        modelBuilder.Entity<WebhookDelivery>(delivery =>
        {
            delivery.ToTable("webhook_deliveries");
            delivery.Property(d => d.Id).ValueGeneratedNever();
            delivery.HasIndex(d => new { d.WebhookId, d.Id });
            delivery.HasIndex(d => d.AttemptedAt);
        });
        modelBuilder.Entity<ChangeEntry>(change =>
        {
            change.ToTable("changes");
            change.Property(c => c.Id).ValueGeneratedNever();
            change.HasIndex(c => new { c.Resource, c.Id });
        });
        modelBuilder.Entity<MessageTemplate>(template =>
        {
            template.ToTable("message_templates");
            template.HasKey(t => new { t.Template, t.Channel, t.Language });
            template.Property(t => t.Channel).HasConversion(c => Name(c), c => Parse<NotificationChannel>(c));
            template.Property(t => t.Version).IsConcurrencyToken();
        });
        modelBuilder.Entity<MessageTemplateVersion>(version =>
        {
            version.ToTable("message_template_versions");
            version.HasKey(v => new { v.Template, v.Channel, v.Language, v.Version });
            version.Property(v => v.Channel).HasConversion(c => Name(c), c => Parse<NotificationChannel>(c));
        });
        modelBuilder.Entity<StaffMember>(member =>
        {
            member.ToTable("staff");
            member.Property(s => s.Id).ValueGeneratedNever();
            member.Property(s => s.Version).IsConcurrencyToken();
        });
        modelBuilder.Entity<StockAlert>(alert =>
        {
            alert.ToTable("stock_alerts");
            alert.HasKey(a => a.ProductId);
            alert.Property(a => a.ProductId).ValueGeneratedNever();
            alert.HasIndex(a => a.QuietUntil).HasDatabaseName("ix_stock_alerts_untold").HasFilter("low IS DISTINCT FROM told_low");
        });
        modelBuilder.Entity<Recipient>(recipient =>
        {
            recipient.ToTable("recipients");
            recipient.HasKey(r => r.CustomerId);
            recipient.Property(r => r.CustomerId).ValueGeneratedNever();
            recipient.Property(r => r.Status).HasConversion(s => Name(s), s => Parse<CustomerStatus>(s));
        });
    }

    /// <summary>Enum values in the database are the API's names, so that people can read them there.</summary>
    internal static string Name<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static T Parse<T>(string name)
        where T : struct, Enum => Enum.Parse<T>(name, ignoreCase: true);
}

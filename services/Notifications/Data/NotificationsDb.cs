using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Customers;
using OrderInventory.Messaging;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Data;

public sealed class NotificationsDb(DbContextOptions<NotificationsDb> options) : DbContext(options)
{
    public DbSet<Notification> Notifications => Set<Notification>();

    public DbSet<Recipient> Recipients => Set<Recipient>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.AddMessaging();
        modelBuilder.Entity<Notification>(notification =>
        {
            notification.ToTable("notifications");
            notification.Property(n => n.Id).ValueGeneratedNever();
            notification.Property(n => n.Data).HasColumnType("jsonb");
            notification.Property(n => n.Status).HasConversion(s => Name(s), s => Parse<NotificationStatus>(s));
            notification.Property(n => n.Channel).HasConversion(c => Name(c), c => Parse<NotificationChannel>(c));
            notification.HasIndex(n => new { n.EventId, n.Template, n.Channel, n.RecipientRef }).IsUnique();
            // An order has few notifications, a customer many: hers are read in the list's own order.
            notification.HasIndex(n => n.OrderId).HasFilter("order_id IS NOT NULL");
            notification.HasIndex(n => new { n.CustomerId, n.Id }).HasFilter("customer_id IS NOT NULL");
            // What is sent leaves this index, so the sender's look costs the same whatever the history holds.
            notification.HasIndex(n => n.NextAttemptAt).HasDatabaseName("ix_notifications_pending").HasFilter("status = 'pending'");
            notification.HasIndex(n => n.Id).HasDatabaseName("ix_notifications_failed").HasFilter("status = 'failed'");
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

using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Customers;
using OrderInventory.Customers.Domain;
using OrderInventory.Messaging;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Customers.Data;

internal sealed class CustomersDb(DbContextOptions<CustomersDb> options) : DbContext(options)
{
    public const string EmailIndex = "ix_customers_email_key";

    /// <summary>The customers that there are; erased ones are left out.</summary>
    public DbSet<Customer> Customers => Set<Customer>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.AddMessaging();
        modelBuilder.AddIdempotencyKeys();
        // Erasing a customer looks keys up by what they have made.
        modelBuilder.Entity<IdempotencyKey>().HasIndex(k => k.ResourceId);
        modelBuilder.Entity<Customer>(customer =>
        {
            customer.ToTable("customers", table =>
            {
                table.HasCheckConstraint("ck_customers_status", "status IN ('active', 'erased')");
                table.HasCheckConstraint("ck_customers_active", "status = 'erased' OR (name IS NOT NULL AND email IS NOT NULL AND email_key IS NOT NULL)");
                table.HasCheckConstraint("ck_customers_erased", "status <> 'erased' OR coalesce(name, email, email_key, phone) IS NULL");
            });
            customer.HasKey(c => c.Id);
            customer.Property(c => c.Id).ValueGeneratedNever();
            // Erased customers have no e-mail, and nulls do not collide.
            customer.HasIndex(c => c.EmailKey, EmailIndex).IsUnique();
            customer.ComplexProperty(c => c.Channels, channels =>
            {
                channels.Property(c => c.Email).HasColumnName("channel_email");
                channels.Property(c => c.Sms).HasColumnName("channel_sms");
                channels.Property(c => c.Webhook).HasColumnName("channel_webhook");
            });
            customer.Property(c => c.Status).HasConversion(status => ToText(status), text => Enum.Parse<CustomerStatus>(text, true));
            customer.Property(c => c.Version).IsConcurrencyToken();
            customer.HasQueryFilter(c => c.Status != CustomerStatus.Erased);
        });
    }

    private static string ToText(CustomerStatus status) => status switch
    {
        CustomerStatus.Active => "active",
        CustomerStatus.Erased => "erased",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, null),
    };
}

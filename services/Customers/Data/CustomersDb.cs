using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Contracts.Customers;
using OrderInventory.Customers.Domain;
using OrderInventory.Messaging;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Customers.Data;

internal sealed class CustomersDb(DbContextOptions<CustomersDb> options) : DbContext(options)
{
    public const string EmailIndex = "ix_customers_email_key";

    /// <summary>The customers, without the erased ones.</summary>
    public DbSet<Customer> Customers => Set<Customer>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasPostgresExtension("pg_trgm");
        modelBuilder.AddMessaging();
        modelBuilder.AddIdempotencyKeys();
        // Erasing a customer finds keys by the resource that they created.
        modelBuilder.Entity<IdempotencyKey>().HasIndex(k => k.ResourceId);
        modelBuilder.Entity<Customer>(customer =>
        {
            customer.ToTable("customers", table =>
            {
                table.HasCheckConstraint("ck_customers_status", "status IN ('active', 'erased')");
                table.HasCheckConstraint("ck_customers_active", "status = 'erased' OR (name IS NOT NULL AND email IS NOT NULL AND email_key IS NOT NULL)");
                table.HasCheckConstraint("ck_customers_erased", "status <> 'erased' OR (coalesce(name, email, email_key, phone, search_key) IS NULL AND addresses = '[]')");
                table.HasCheckConstraint("ck_customers_addresses", $"jsonb_array_length(addresses) <= {AddressBook.MaxAddresses}");
                table.HasCheckConstraint("ck_customers_default_address",
                    "jsonb_array_length(jsonb_path_query_array(addresses, '$[*] ? (@.default == true)')) = least(jsonb_array_length(addresses), 1)");
            });
            customer.HasKey(c => c.Id);
            customer.Property(c => c.Id).ValueGeneratedNever();
            // Erased customers have no e-mail, and nulls do not collide.
            customer.HasIndex(c => c.EmailKey, EmailIndex).IsUnique();
            // Stored in the customer's row: an address has no life cycle or version of its own, and erasing leaves no address rows behind.
            customer.Property(c => c.Addresses).HasColumnType("jsonb").HasConversion(
                book => JsonSerializer.Serialize(book.Addresses, CustomersJson.Default.IReadOnlyListAddress),
                json => AddressBook.Of(JsonSerializer.Deserialize(json, CustomersJson.Default.IReadOnlyListAddress)!));
            // Trigrams find text anywhere in a word. The extension is trusted: the database's owner may create it (since PostgreSQL 13).
            customer.HasIndex(c => c.SearchKey).HasMethod("gin").HasOperators("gin_trgm_ops");
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

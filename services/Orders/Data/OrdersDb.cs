using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Orders;
using OrderInventory.Contracts.Products;
using OrderInventory.Messaging;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Orders.Data;

/// <summary>
/// The schema. EF Core migrates and reads; <see cref="PlacementWriter"/> and <see cref="OrderBatch"/> write orders with set-based SQL.
/// </summary>
internal sealed class OrdersDb(DbContextOptions<OrdersDb> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();
    public DbSet<OrderItem> OrderItems => Set<OrderItem>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.AddMessaging();
        modelBuilder.AddIdempotencyKeys();
        modelBuilder.Entity<Order>(order =>
        {
            order.ToTable("orders", table => table.HasCheckConstraint("ck_orders_total", "total >= 0"));
            order.HasKey(o => o.Id);
            order.Property(o => o.Id).ValueGeneratedNever();
            order.Property(o => o.Status).HasConversion(status => StatusNames.Format(status), text => StatusNames.Parse(text));
            order.Property(o => o.Total).HasColumnType("numeric");
            order.Property(o => o.Rejection).HasColumnType("jsonb").HasConversion(r => OrderJson.Write(r), json => OrderJson.ReadRejection(json));
            order.Property(o => o.Revision).HasColumnType("jsonb").HasConversion(r => OrderJson.Write(r), json => OrderJson.ReadRevision(json));
            order.Property(o => o.ShipTo).HasColumnType("jsonb").HasConversion(s => OrderJson.Write(s), json => OrderJson.ReadShipTo(json));
            order.Property(o => o.Returns).HasColumnType("jsonb").IsRequired(false).HasConversion(
                new ValueConverter<IReadOnlyList<OrderReturn>, string?>(r => OrderJson.Write(r), json => OrderJson.ReadReturns(json)),
                new ValueComparer<IReadOnlyList<OrderReturn>>(false));
            // When the version was written, by the database's clock: replicas' clocks differ, and must not let an order expire.
            order.Property<DateTimeOffset>("WaitingSince").HasDefaultValueSql("now()");
            order.Ignore(o => o.Lines);
            order.Ignore(o => o.TotalPrice);
            order.HasMany(o => o.Items).WithOne().HasForeignKey(l => l.OrderId);
            // A customer's orders, newest first: ids are UUIDv7.
            order.HasIndex(o => new { o.CustomerId, o.Id });
            // The orders of a status, newest first, and the orders that wait for Inventory, however many are finished.
            order.HasIndex(o => new { o.Status, o.Id });
            // Leaves room for the order's next version in the same page.
            order.HasStorageParameter("fillfactor", 80);
        });
        modelBuilder.Entity<OrderItem>(line =>
        {
            line.ToTable("order_lines", table => table.HasCheckConstraint("ck_order_lines_quantity", "quantity >= 1"));
            line.HasKey(l => new { l.OrderId, l.LineNo });
            line.Property(l => l.UnitPrice).HasColumnType("numeric");
            line.HasIndex(l => new { l.ProductId, l.OrderId });
        });
        modelBuilder.Entity<HistoryEntry>(entry =>
        {
            entry.ToTable("order_history");
            entry.HasKey(e => new { e.OrderId, e.EventId });
            entry.Property(e => e.Data).HasColumnType("jsonb");
        });
        modelBuilder.Entity<ProductCopy>(product =>
        {
            product.ToTable("product_copies");
            product.HasKey(p => p.ProductId);
            product.Property(p => p.ProductId).ValueGeneratedNever();
            product.Property(p => p.Price).HasColumnType("numeric");
            product.Property(p => p.Status).HasConversion(s => JsonNamingPolicy.CamelCase.ConvertName(s.ToString()), s => Enum.Parse<ProductStatus>(s, true));
        });
        modelBuilder.Entity<CustomerCopy>(customer =>
        {
            customer.ToTable("customer_copies");
            customer.HasKey(c => c.CustomerId);
            customer.Property(c => c.CustomerId).ValueGeneratedNever();
            customer.Property(c => c.Status).HasConversion(s => JsonNamingPolicy.CamelCase.ConvertName(s.ToString()), s => Enum.Parse<CustomerStatus>(s, true));
        });
    }
}

/// <summary>
/// Something that happened to an order, append-only: one row for each of its versions, with the id of the event that published it, and one
/// for each of Inventory's answers, with that answer's event id.
/// </summary>
internal sealed class HistoryEntry
{
    public Guid OrderId { get; init; }
    public Guid EventId { get; init; }

    /// <summary>The order's version afterwards; null for a fact that changed nothing.</summary>
    public long? Version { get; init; }

    public DateTimeOffset At { get; init; }

    /// <summary>Who did it: <c>orders</c>, or <c>inventory</c>.</summary>
    public required string Service { get; init; }

    /// <summary>A text such as <c>order confirmed</c>.</summary>
    public required string What { get; init; }

    /// <summary><see cref="HistoryData"/> as JSON: status before and after, the reason and other details.</summary>
    public string? Data { get; init; }

    public string? TraceId { get; init; }
}

/// <summary>What placing an order needs to know about a product, kept current by <c>product.updated</c>.</summary>
internal sealed class ProductCopy
{
    public Guid ProductId { get; init; }
    public long Version { get; init; }
    public required string Sku { get; init; }
    public required string Name { get; init; }
    public decimal Price { get; init; }
    public required string Currency { get; init; }
    public ProductStatus Status { get; init; }
}

/// <summary>What placing an order needs to know about a customer, kept current by <c>customer.updated</c>.</summary>
internal sealed class CustomerCopy
{
    public Guid CustomerId { get; init; }
    public long Version { get; init; }
    public CustomerStatus Status { get; init; }
}

/// <summary>Statuses as stored in the column: the same camelCase names as in the API.</summary>
internal static class StatusNames
{
    private static readonly Dictionary<OrderStatus, string> s_names =
        Enum.GetValues<OrderStatus>().ToDictionary(s => s, s => JsonNamingPolicy.CamelCase.ConvertName(s.ToString()));

    private static readonly Dictionary<string, OrderStatus> s_statuses = s_names.ToDictionary(n => n.Value, n => n.Key);

    public static string Format(OrderStatus status) => s_names[status];

    public static OrderStatus Parse(string name) => s_statuses[name];
}

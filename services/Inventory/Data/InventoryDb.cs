using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Inventory.Data;

/// <summary>
/// A row of <c>stock_levels</c>, for reading. Changes go through <see cref="StockLoader"/>, which locks, and <see cref="StockWriter"/>.
/// </summary>
internal sealed class StockLevelRow
{
    public Guid ProductId { get; init; }
    public required string Location { get; init; }
    public long OnHand { get; init; }
    public long Reserved { get; init; }
    public long Available { get; init; }
    public long LowStockThreshold { get; init; }
    public long Version { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>
    /// Whether the record was removed. The row is then hidden, but stays: the product's version must continue if the record is created again.
    /// </summary>
    public bool Removed { get; init; }
}

/// <summary>A row of <c>reservations</c>, for reading.</summary>
internal sealed class ReservationRow
{
    public Guid OrderId { get; init; }
    public long OrderVersion { get; init; }
    public required string Outcome { get; init; }
    public required string Lines { get; init; }
    public required string Shortages { get; init; }
    public DateTimeOffset DecidedAt { get; init; }

    /// <summary>Units that were shipped and not returned, also lines of 0 units; null until the order is shipped.</summary>
    public string? Shipped { get; init; }

    /// <summary>The order versions whose returns were taken back; null until the order is shipped.</summary>
    public string? ReturnedVersions { get; init; }
}

/// <summary>A row of <c>holds</c>, for reading. What it holds is in <c>hold_lines</c>.</summary>
internal sealed class HoldRow
{
    public Guid Id { get; init; }
    public HoldStatus Status { get; init; }
    public DateTimeOffset ExpiresAt { get; init; }
    public long Version { get; init; }

    /// <summary>The requested units, readable even when nothing is held any more.</summary>
    public required string Lines { get; init; }

    /// <summary>The order that consumed it.</summary>
    public Guid? OrderId { get; init; }

    /// <summary>The customer it belongs to; null for a hold made by staff.</summary>
    public Guid? CustomerId { get; init; }

    /// <summary>Until then it is claimed by one replica's sweeper.</summary>
    public DateTimeOffset? SweptUntil { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A row of <c>hold_lines</c>: units that are part of a level's reserved quantity.</summary>
internal sealed class HoldLineRow
{
    public Guid HoldId { get; init; }
    public Guid ProductId { get; init; }
    public required string Location { get; init; }
    public long Quantity { get; init; }
}

/// <summary>A row of <c>stock_balances</c>, which <see cref="StockBalances"/> writes.</summary>
internal sealed class StockBalanceRow
{
    public Guid ProductId { get; init; }
    public required string Location { get; init; }
    public long OnHand { get; init; }
    public long Reserved { get; init; }

    /// <summary>The last movement of the product that the balance includes, at any location: the same in all rows of a product.</summary>
    public Guid LastMovementId { get; init; }
}

internal sealed class InventoryDb(DbContextOptions<InventoryDb> options) : DbContext(options)
{
    public DbSet<StockLevelRow> StockLevels => Set<StockLevelRow>();
    public DbSet<ProductCopy> ProductCopies => Set<ProductCopy>();
    public DbSet<ReservationRow> Reservations => Set<ReservationRow>();
    public DbSet<StockMovement> StockMovements => Set<StockMovement>();
    public DbSet<Location> Locations => Set<Location>();
    public DbSet<HoldRow> Holds => Set<HoldRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.AddMessaging();
        modelBuilder.AddIdempotencyKeys();
        modelBuilder.Entity<StockLevelRow>(level =>
        {
            level.ToTable("stock_levels", table => table.HasCheckConstraint("ck_stock_levels_reserved", "reserved BETWEEN 0 AND on_hand"));
            // Product first: a distributed database shards the table by it, and a batch locks rows in this order.
            level.HasKey(l => new { l.ProductId, l.Location });
            level.Property(l => l.Available).HasComputedColumnSql("on_hand - reserved", stored: true);
            level.Property(l => l.Removed).HasDefaultValue(false);
            level.HasQueryFilter(l => !l.Removed);
            // Leaves room for new row versions in the page, so that the many updates touch no index.
            level.HasStorageParameter("fillfactor", 50);
        });
        modelBuilder.Entity<ProductCopy>(product =>
        {
            product.ToTable("product_copies");
            product.HasKey(p => p.ProductId);
            product.Property(p => p.ProductId).ValueGeneratedNever();
        });
        modelBuilder.Entity<ReservationRow>(reservation =>
        {
            reservation.ToTable("reservations");
            reservation.HasKey(r => r.OrderId);
            reservation.Property(r => r.OrderId).ValueGeneratedNever();
            reservation.Property(r => r.Lines).HasColumnType("jsonb");
            reservation.Property(r => r.Shortages).HasColumnType("jsonb");
            reservation.Property(r => r.Shipped).HasColumnType("jsonb");
            reservation.Property(r => r.ReturnedVersions).HasColumnType("jsonb");
            // Only the reservations that hold something, few among all ever decided: for queries that add up what is held.
            reservation.HasIndex(r => r.OrderId).HasDatabaseName("ix_reservations_holding").HasFilter("lines <> '[]'");
        });
        modelBuilder.Entity<Location>(location =>
        {
            location.ToTable("locations");
            location.HasKey(l => l.Code);
            location.Property(l => l.Version).IsConcurrencyToken();
            location.HasData(new Location
            {
                Code = StockItem.DefaultLocation,
                Id = Guid.Parse("019a0000-0000-7000-8000-000000000001"),
                Name = "Default",
                CreatedAt = DateTimeOffset.UnixEpoch,
                UpdatedAt = DateTimeOffset.UnixEpoch,
            });
        });
        modelBuilder.Entity<HoldRow>(hold =>
        {
            hold.ToTable("holds");
            hold.HasKey(h => h.Id);
            hold.Property(h => h.Id).ValueGeneratedNever();
            hold.Property(h => h.Lines).HasColumnType("jsonb");
            hold.Property(h => h.Status).HasConversion(status => Outcomes.Format(status), text => Outcomes.ParseHold(text));
            // The sweeper and every batch of orders query this first.
            hold.HasIndex(h => h.ExpiresAt, "ix_holds_live").HasFilter("status = 'live'");
        });
        modelBuilder.Entity<HoldLineRow>(line =>
        {
            line.ToTable("hold_lines", table => table.HasCheckConstraint("ck_hold_lines_quantity", "quantity > 0"));
            line.HasKey(l => new { l.HoldId, l.ProductId, l.Location });
            line.HasIndex(l => l.ProductId);
        });
        modelBuilder.Entity<StockMovement>(movement =>
        {
            movement.ToTable("stock_movements");
            movement.HasKey(m => new { m.ProductId, m.Id });
            movement.Property(m => m.Kind).HasConversion(kind => JsonNamingPolicy.CamelCase.ConvertName(kind.ToString()), text => Enum.Parse<MovementKind>(text, true));
        });
        modelBuilder.Entity<StockBalanceRow>(balance =>
        {
            balance.ToTable("stock_balances");
            balance.HasKey(b => new { b.ProductId, b.Location });
        });
    }
}

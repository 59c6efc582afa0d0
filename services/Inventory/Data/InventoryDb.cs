using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Inventory.Domain;
using OrderInventory.Messaging;

namespace OrderInventory.Inventory.Data;

/// <summary>A row of <c>stock_levels</c>, for reading. Writing goes through <see cref="StockBatch"/>, which locks first.</summary>
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
}

internal sealed class InventoryDb(DbContextOptions<InventoryDb> options) : DbContext(options)
{
    public DbSet<StockLevelRow> StockLevels => Set<StockLevelRow>();
    public DbSet<ReservationRow> Reservations => Set<ReservationRow>();
    public DbSet<StockMovement> StockMovements => Set<StockMovement>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.AddMessaging();
        modelBuilder.Entity<StockLevelRow>(level =>
        {
            level.ToTable("stock_levels", table => table.HasCheckConstraint("ck_stock_levels_reserved", "reserved BETWEEN 0 AND on_hand"));
            // Product first: a distributed database spreads the table by it, and a batch locks rows in this order.
            level.HasKey(l => new { l.ProductId, l.Location });
            level.Property(l => l.Available).HasComputedColumnSql("on_hand - reserved", stored: true);
            // Room for new row versions in the page, so that the many updates touch no index.
            level.HasStorageParameter("fillfactor", 50);
        });
        modelBuilder.Entity<ReservationRow>(reservation =>
        {
            reservation.ToTable("reservations");
            reservation.HasKey(r => r.OrderId);
            reservation.Property(r => r.OrderId).ValueGeneratedNever();
            reservation.Property(r => r.Lines).HasColumnType("jsonb");
            reservation.Property(r => r.Shortages).HasColumnType("jsonb");
        });
        modelBuilder.Entity<StockMovement>(movement =>
        {
            movement.ToTable("stock_movements");
            movement.HasKey(m => new { m.ProductId, m.Id });
            movement.Property(m => m.Kind).HasConversion(kind => JsonNamingPolicy.CamelCase.ConvertName(kind.ToString()), text => Enum.Parse<MovementKind>(text, true));
        });
    }
}

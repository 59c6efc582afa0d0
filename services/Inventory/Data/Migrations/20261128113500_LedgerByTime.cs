using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using OrderInventory.ServiceDefaults.Data;

#nullable disable

namespace OrderInventory.Inventory.Data.Migrations
{
    /// <inheritdoc />
    [DbContext(typeof(InventoryDb))]
    [Migration("20261128113500_LedgerByTime")]
    public partial class LedgerByTime : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // The ledger is appended to in the order of time, so the lowest and highest time of each block range find a period: one entry for
            // 32 pages, where an ordinary index would have one for each row of every order. EF Core's model does not have it.
            migrationBuilder.CreateIndexConcurrently(
                "ix_stock_movements_occurred_at", "stock_movements USING brin (occurred_at) WITH (pages_per_range = 32, autosummarize = on)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP INDEX ix_stock_movements_occurred_at;");
        }
    }
}

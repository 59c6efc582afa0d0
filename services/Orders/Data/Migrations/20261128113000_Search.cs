using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using OrderInventory.ServiceDefaults.Data;

#nullable disable

namespace OrderInventory.Orders.Data.Migrations
{
    /// <inheritdoc />
    [DbContext(typeof(OrdersDb))]
    [Migration("20261128113000_Search")]
    public partial class Search : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Expressions are not in EF Core's model. An order that is placed has no tracking number, so it gets no entry here.
            migrationBuilder.CreateIndexConcurrently("ix_orders_tracking_number", "orders (lower(tracking_number)) WHERE tracking_number IS NOT NULL");
            migrationBuilder.CreateIndexConcurrently("ix_product_copies_sku", "product_copies (lower(sku) COLLATE \"C\")");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP INDEX ix_orders_tracking_number; DROP INDEX ix_product_copies_sku;");
        }
    }
}

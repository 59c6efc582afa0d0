using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using OrderInventory.ServiceDefaults.Data;

#nullable disable

namespace OrderInventory.Orders.Data.Migrations
{
    /// <inheritdoc />
    [DbContext(typeof(OrdersDb))]
    [Migration("20261129202000_OrdersByStatus")]
    public partial class OrdersByStatus : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // In place of the index of those that wait: a list of a state that few or none have read all orders to find that out.
            migrationBuilder.CreateIndexConcurrently("ix_orders_status_id", "orders (status, id)");
            migrationBuilder.DropIndex(name: "ix_orders_waiting", table: "orders");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "ix_orders_waiting", table: "orders", columns: ["status", "waiting_since"], filter: "status IN ('pending', 'revisionPending', 'cancelPending')");
            migrationBuilder.DropIndex(name: "ix_orders_status_id", table: "orders");
        }
    }
}

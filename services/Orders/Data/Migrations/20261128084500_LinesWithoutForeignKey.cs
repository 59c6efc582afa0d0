using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrderInventory.Orders.Data.Migrations
{
    /// <inheritdoc />
    public partial class LinesWithoutForeignKey : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Lines are only ever written in the transaction of their order, and no order is deleted. The key made PostgreSQL look for the order,
            // and lock it, once for each line. EF Core's model keeps the relation: it joins by it.
            migrationBuilder.DropForeignKey(name: "fk_order_lines_orders_order_id", table: "order_lines");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddForeignKey(
                name: "fk_order_lines_orders_order_id", table: "order_lines", column: "order_id", principalTable: "orders", principalColumn: "id",
                onDelete: ReferentialAction.Cascade);
        }
    }
}

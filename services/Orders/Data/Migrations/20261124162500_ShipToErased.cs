using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrderInventory.Orders.Data.Migrations
{
    /// <inheritdoc />
    public partial class ShipToErased : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "ship_to_erased",
                table: "orders",
                type: "boolean",
                nullable: false,
                defaultValue: false);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "ship_to_erased",
                table: "orders");
        }
    }
}

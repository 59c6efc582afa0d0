using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrderInventory.Inventory.Data.Migrations
{
    /// <inheritdoc />
    public partial class WhoDidIt : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "role",
                table: "stock_movements",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "sub",
                table: "stock_movements",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "customer_id",
                table: "holds",
                type: "uuid",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "role",
                table: "stock_movements");

            migrationBuilder.DropColumn(
                name: "sub",
                table: "stock_movements");

            migrationBuilder.DropColumn(
                name: "customer_id",
                table: "holds");
        }
    }
}

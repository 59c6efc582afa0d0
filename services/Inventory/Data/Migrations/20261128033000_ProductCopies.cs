using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrderInventory.Inventory.Data.Migrations
{
    /// <inheritdoc />
    public partial class ProductCopies : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "removed",
                table: "stock_levels",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "product_copies",
                columns: table => new
                {
                    product_id = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    sku = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    status = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_product_copies", x => x.product_id);
                });

            // A level's time is where its ledger goes on, and until now a clock that was set back has taken it back.
            migrationBuilder.Sql(
                """
                UPDATE stock_levels l SET updated_at = m.latest
                FROM (SELECT product_id, max(occurred_at) + interval '1 millisecond' AS latest FROM stock_movements GROUP BY product_id) AS m
                WHERE m.product_id = l.product_id AND m.latest > l.updated_at
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "product_copies");

            migrationBuilder.DropColumn(
                name: "removed",
                table: "stock_levels");
        }
    }
}

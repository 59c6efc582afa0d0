using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrderInventory.Notifications.Data.Migrations
{
    /// <inheritdoc />
    public partial class OrderVersionsAndAlerts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "disabled_reason",
                table: "webhooks",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "paused_until",
                table: "webhooks",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "order_version",
                table: "notifications",
                type: "bigint",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "stock_alerts",
                columns: table => new
                {
                    product_id = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    low = table.Column<bool>(type: "boolean", nullable: false),
                    available = table.Column<long>(type: "bigint", nullable: false),
                    threshold = table.Column<long>(type: "bigint", nullable: false),
                    event_id = table.Column<Guid>(type: "uuid", nullable: false),
                    event_type = table.Column<string>(type: "text", nullable: false),
                    trace_parent = table.Column<string>(type: "text", nullable: true),
                    told_low = table.Column<bool>(type: "boolean", nullable: true),
                    quiet_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_stock_alerts", x => x.product_id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_stock_alerts_untold",
                table: "stock_alerts",
                column: "quiet_until",
                filter: "low IS DISTINCT FROM told_low");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "stock_alerts");

            migrationBuilder.DropColumn(
                name: "disabled_reason",
                table: "webhooks");

            migrationBuilder.DropColumn(
                name: "paused_until",
                table: "webhooks");

            migrationBuilder.DropColumn(
                name: "order_version",
                table: "notifications");
        }
    }
}

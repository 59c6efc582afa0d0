using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrderInventory.Inventory.Data.Migrations
{
    /// <inheritdoc />
    public partial class ReturnedVersions : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "returned_versions",
                table: "reservations",
                type: "jsonb",
                nullable: true);

            // Which returns were taken back until now, nothing tells: all versions that were handled count, so that none is taken back twice.
            migrationBuilder.Sql(
                """
                UPDATE reservations SET returned_versions = (SELECT jsonb_agg(version) FROM generate_series(1, order_version) AS version)
                WHERE shipped IS NOT NULL
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "returned_versions",
                table: "reservations");
        }
    }
}

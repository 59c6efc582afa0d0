using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrderInventory.Orders.Data.Migrations
{
    /// <inheritdoc />
    public partial class Ensure : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Ends the transaction of a batch from within, so that the writes and the commit can be one round trip.
            migrationBuilder.Sql(
                """
                CREATE FUNCTION ensure(ok boolean, code text, message text) RETURNS void LANGUAGE plpgsql AS $$
                BEGIN
                    IF ok IS NOT TRUE THEN
                        RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message;
                    END IF;
                END
                $$;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP FUNCTION ensure(boolean, text, text);");
        }
    }
}

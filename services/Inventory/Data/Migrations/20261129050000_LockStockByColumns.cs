using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrderInventory.Inventory.Data.Migrations
{
    /// <inheritdoc />
    [DbContext(typeof(InventoryDb))]
    [Migration("20261129050000_LockStockByColumns")]
    public partial class LockStockByColumns : Migration
    {
        // The columns are named: with RETURNS SETOF stock_levels a session that has called the function fails from the moment that a later
        // migration drops a column of the table. What the function does is told in LockStock.
        private const string Columns = "product_id, location, on_hand, reserved, low_stock_threshold, version, updated_at, removed";

        private const string Body =
            $"""
            SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
            #variable_conflict use_column
            DECLARE
                wanted uuid[] := products;
                locked bigint;
            BEGIN
                IF cardinality(named_holds) > 0 THEN
                    wanted := products || ARRAY(SELECT product_id FROM hold_lines WHERE hold_id = ANY(named_holds));
                END IF;
                RETURN QUERY SELECT {Columns} FROM stock_levels WHERE product_id = ANY(wanted) ORDER BY product_id, location FOR UPDATE;
                GET DIAGNOSTICS locked = ROW_COUNT;
                PERFORM ensure_unchanged(
                    locked = (SELECT count(*) FROM stock_levels WHERE product_id = ANY(wanted)), 'Stock has changed while it was being locked.');
                IF cardinality(named_holds) > 0 THEN
                    PERFORM FROM holds WHERE id = ANY(named_holds) ORDER BY id FOR UPDATE;
                    PERFORM ensure_unchanged(
                        NOT EXISTS (
                            SELECT FROM hold_lines h JOIN stock_levels s ON s.product_id = h.product_id
                            WHERE h.hold_id = ANY(named_holds) AND h.product_id <> ALL(wanted)),
                        'A hold has changed while its stock was being locked.');
                END IF;
            END $$;
            """;

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                $"""
                DROP FUNCTION lock_stock;
                CREATE FUNCTION lock_stock(products uuid[], named_holds uuid[])
                RETURNS TABLE (
                    product_id uuid, location text, on_hand bigint, reserved bigint, low_stock_threshold bigint, version bigint,
                    updated_at timestamptz, removed boolean)
                LANGUAGE plpgsql ROWS 10
                {Body}
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                $"""
                DROP FUNCTION lock_stock;
                CREATE FUNCTION lock_stock(products uuid[], named_holds uuid[]) RETURNS SETOF stock_levels LANGUAGE plpgsql ROWS 10
                {Body.Replace($"SELECT {Columns} FROM", "SELECT * FROM", System.StringComparison.Ordinal)}
                """);
        }
    }
}

using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrderInventory.Inventory.Data.Migrations
{
    /// <inheritdoc />
    public partial class LockStock : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                -- Ends a transaction that must be run again as a whole, because rows are not as they were when it looked.
                CREATE FUNCTION ensure_unchanged(ok boolean, what text) RETURNS void LANGUAGE plpgsql AS $$
                BEGIN
                    IF ok IS NOT TRUE THEN
                        RAISE EXCEPTION USING ERRCODE = 'serialization_failure', MESSAGE = what;
                    END IF;
                END $$;

                -- Locks the levels of the products, and of those that the holds have; then the holds. Each statement of a function looks
                -- anew. While the first waits for a row, its owner may give the product a level at another location, which only a later
                -- statement can see: hence the count. From then on every row of these products stands still, for whoever makes one locks
                -- those that there are. A held product without any level is a broken book: there is nothing to lock, and no repeat finds it.
                -- Plans are kept, and find rows by their keys, also when they were made while the tables were empty.
                CREATE FUNCTION lock_stock(products uuid[], named_holds uuid[]) RETURNS SETOF stock_levels LANGUAGE plpgsql ROWS 10
                SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
                DECLARE
                    wanted uuid[] := products;
                    locked bigint;
                BEGIN
                    IF cardinality(named_holds) > 0 THEN
                        wanted := products || ARRAY(SELECT product_id FROM hold_lines WHERE hold_id = ANY(named_holds));
                    END IF;
                    RETURN QUERY SELECT * FROM stock_levels WHERE product_id = ANY(wanted) ORDER BY product_id, location FOR UPDATE;
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
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP FUNCTION lock_stock; DROP FUNCTION ensure_unchanged;");
        }
    }
}

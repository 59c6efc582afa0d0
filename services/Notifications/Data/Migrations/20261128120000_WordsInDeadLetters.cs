using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrderInventory.Notifications.Data.Migrations
{
    /// <inheritdoc />
    [DbContext(typeof(NotificationsDb))]
    [Migration("20261128120000_WordsInDeadLetters")]
    public partial class WordsInDeadLetters : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Earlier events of orders had the words that people gave as a reason; "expired" is Orders' own. What is no JSON is no event of ours.
            migrationBuilder.Sql(
                """
                DO $$
                DECLARE
                    letter record;
                BEGIN
                    FOR letter IN SELECT id, payload FROM dead_letters WHERE topic = 'order.updated' LOOP
                        BEGIN
                            UPDATE dead_letters d
                            SET payload = convert_to(jsonb_set(e.data, '{reason}', 'null', false)::text, 'UTF8')
                            FROM (SELECT convert_from(letter.payload, 'UTF8')::jsonb AS data) e
                            WHERE d.id = letter.id AND jsonb_typeof(e.data -> 'reason') = 'string' AND e.data ->> 'status' IS DISTINCT FROM 'expired';
                        EXCEPTION WHEN data_exception OR character_not_in_repertoire OR untranslatable_character THEN
                            NULL;
                        END;
                    END LOOP;
                END
                $$;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
        }
    }
}

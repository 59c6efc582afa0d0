using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrderInventory.Orders.Data.Migrations
{
    /// <inheritdoc />
    public partial class WordsOfErased : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Until now what people wrote stayed when the customer was erased, and travelled in events, which may still wait here.
            migrationBuilder.Sql(
                """
                UPDATE orders o SET ship_to = NULL, ship_to_erased = true FROM customer_copies c
                WHERE c.customer_id = o.customer_id AND c.status = 'erased' AND NOT o.ship_to_erased;
                WITH blanked AS (
                    UPDATE orders o SET reason = NULL, carrier = NULL, tracking_number = NULL FROM customer_copies c
                    WHERE c.customer_id = o.customer_id AND c.status = 'erased' AND o.status IN ('rejected', 'expired', 'cancelled', 'delivered')
                    RETURNING o.id)
                UPDATE order_history SET data = data - ARRAY['reason', 'carrier', 'trackingNumber'] WHERE order_id IN (SELECT id FROM blanked);
                UPDATE outbox_messages SET payload = convert_to(jsonb_set(convert_from(payload, 'UTF8')::jsonb, '{reason}', 'null')::text, 'UTF8')
                WHERE topic = 'order.updated';
                UPDATE dead_letters SET payload = convert_to(jsonb_set(convert_from(payload, 'UTF8')::jsonb, '{reason}', 'null')::text, 'UTF8')
                WHERE topic = 'order.updated' AND partition IS NULL;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
        }
    }
}

using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrderInventory.Products.Data.Migrations
{
    /// <inheritdoc />
    public partial class CanonicalText : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // New text comes in NFC; old text must be found by it. Of SKUs that are one in NFC, one product has it and the others keep theirs.
            migrationBuilder.Sql(
                """
                UPDATE products p SET sku = normalize(p.sku, NFC)
                WHERE p.sku IS NOT NFC NORMALIZED
                    AND p.id = (SELECT o.id FROM products o WHERE normalize(o.sku, NFC) = normalize(p.sku, NFC) ORDER BY o.sku IS NFC NORMALIZED DESC, o.id LIMIT 1)
                """);
            migrationBuilder.Sql(
                """
                UPDATE products
                SET name = normalize(name, NFC), description = normalize(description, NFC), category = normalize(category, NFC), attributes = normalize(attributes::text, NFC)::jsonb
                WHERE name IS NOT NFC NORMALIZED OR description IS NOT NFC NORMALIZED OR category IS NOT NFC NORMALIZED OR attributes::text IS NOT NFC NORMALIZED
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            // Texts in NFC mean what they meant.
        }
    }
}

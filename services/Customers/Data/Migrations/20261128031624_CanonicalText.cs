using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrderInventory.Customers.Data.Migrations
{
    /// <inheritdoc />
    public partial class CanonicalText : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // One mailbox is one key: xn-- and Unicode, composed and decomposed, with and without a dot at the end. Of customers who share one, one
            // has it and the others keep theirs, for people to merge; nobody is changed who was right. RFC 3492, section 6.2.
            migrationBuilder.Sql(
                """
                CREATE FUNCTION pg_temp.unicode_label(label text) RETURNS text LANGUAGE plpgsql AS $$
                DECLARE
                    input text := substr(label, 5);
                    basic int := 0;
                    at int := 1;
                    output int[] := '{}';
                    n int := 128; i int := 0; bias int := 72; old int; w int; k int; digit int; t int; delta int; len int;
                BEGIN
                    IF label NOT LIKE 'xn--%' THEN
                        RETURN label;
                    END IF;
                    IF position('-' IN input) > 0 THEN
                        basic := length(input) - position('-' IN reverse(input));
                        FOR j IN 1 .. basic LOOP
                            output := output || ascii(substr(input, j, 1));
                        END LOOP;
                        at := basic + 2;
                    END IF;
                    WHILE at <= length(input) LOOP
                        old := i; w := 1; k := 36;
                        LOOP
                            digit := CASE WHEN at > length(input) THEN -1 ELSE position(substr(input, at, 1) IN 'abcdefghijklmnopqrstuvwxyz0123456789') - 1 END;
                            IF digit < 0 THEN
                                RETURN label;
                            END IF;
                            at := at + 1;
                            i := i + digit * w;
                            t := CASE WHEN k <= bias THEN 1 WHEN k >= bias + 26 THEN 26 ELSE k - bias END;
                            EXIT WHEN digit < t;
                            w := w * (36 - t);
                            k := k + 36;
                        END LOOP;
                        len := cardinality(output) + 1;
                        delta := CASE WHEN old = 0 THEN (i - old) / 700 ELSE (i - old) / 2 END;
                        delta := delta + delta / len;
                        k := 0;
                        WHILE delta > 455 LOOP
                            delta := delta / 35;
                            k := k + 36;
                        END LOOP;
                        bias := k + 36 * delta / (delta + 38);
                        n := n + i / len;
                        i := i % len;
                        output := output[1:i] || n || output[i + 1:];
                        i := i + 1;
                    END LOOP;
                    RETURN normalize((SELECT string_agg(chr(c), '' ORDER BY o) FROM unnest(output) WITH ORDINALITY AS u (c, o)), NFC);
                EXCEPTION WHEN OTHERS THEN
                    RETURN label;
                END $$
                """);
            migrationBuilder.Sql(
                """
                WITH canonical AS (
                    SELECT id, normalize(split_part(email_key, '@', 1), NFC) || '@' || (
                        SELECT string_agg(pg_temp.unicode_label(label), '.' ORDER BY o)
                        FROM unnest(string_to_array(rtrim(normalize(split_part(email_key, '@', 2), NFC), '.'), '.')) WITH ORDINALITY AS l (label, o)) AS key
                    FROM customers WHERE email_key IS NOT NULL),
                chosen AS (
                    SELECT DISTINCT ON (canonical.key) canonical.id, canonical.key FROM canonical JOIN customers c ON c.id = canonical.id
                    ORDER BY canonical.key, c.email_key = canonical.key DESC, canonical.id)
                UPDATE customers c
                SET email_key = chosen.key, email = rtrim(normalize(c.email, NFC), '.'), search_key = normalize(c.search_key, NFC) || E'\n' || chosen.key
                FROM chosen WHERE c.id = chosen.id AND (c.email_key <> chosen.key OR c.email IS NOT NFC NORMALIZED)
                """);
            migrationBuilder.Sql(
                """
                UPDATE customers
                SET name = normalize(name, NFC), phone = normalize(phone, NFC), search_key = normalize(search_key, NFC), addresses = normalize(addresses::text, NFC)::jsonb
                WHERE name IS NOT NFC NORMALIZED OR phone IS NOT NFC NORMALIZED OR search_key IS NOT NFC NORMALIZED OR addresses::text IS NOT NFC NORMALIZED
                """);
            migrationBuilder.Sql(
                """
                DROP FUNCTION pg_temp.unicode_label(text)
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            // Texts in NFC mean what they meant.
        }
    }
}

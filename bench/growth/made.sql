-- The orders to generate: those of a shop that gets one every 20 seconds. Runs first in each database, with these settings of the session:
-- growth.orders (how many), growth.newest (when the newest was placed), growth.products and growth.customers (ids, separated by commas).
-- Order number 1 is the newest, so a larger size reaches further back: a million orders cover 231 days. The newest 540 (three hours) are open.

-- A UUIDv7 of a time, so that ids are in the order in which the services would have created them. The kind distinguishes the events of an order.
CREATE OR REPLACE FUNCTION pg_temp.made_id(kind int, n bigint, at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid $$;

CREATE TEMP TABLE made_products AS
SELECT number - 1 AS number, id::uuid FROM unnest(string_to_array(current_setting('growth.products'), ',')) WITH ORDINALITY AS p (id, number);
CREATE TEMP TABLE made_customers AS
SELECT number - 1 AS number, id::uuid FROM unnest(string_to_array(current_setting('growth.customers'), ',')) WITH ORDINALITY AS c (id, number);

CREATE TEMP TABLE made_orders AS
SELECT n, pg_temp.made_id(1, n, at) AS id, c.id AS customer_id, status, at, at + interval '20 ms' AS decided_at, at + interval '1 hour' AS shipped_at, at + interval '2 hours' AS delivered_at
FROM (
    SELECT n, current_setting('growth.newest')::timestamptz - n * interval '20 seconds' AS at,
        CASE WHEN n <= 540 THEN 'confirmed' WHEN n % 200 = 7 THEN 'rejected' ELSE 'delivered' END AS status
    FROM generate_series(1, current_setting('growth.orders')::bigint) AS n) AS o
JOIN made_customers c ON c.number = n % (SELECT count(*) FROM made_customers)
ORDER BY n DESC;

-- Three products per order; product 0 is hot: every fifth order has it.
CREATE TEMP TABLE made_lines AS
SELECT n, line_no, p.id AS product_id, 1 + (n + line_no) % 3 AS quantity
FROM made_orders
CROSS JOIN (SELECT count(*) / 3 AS third FROM made_products) AS t
CROSS JOIN LATERAL (VALUES
    (1, CASE WHEN n % 5 = 0 THEN 0 ELSE 1 + n * 7 % (third - 1) END),
    (2, third + n * 13 % third),
    (3, 2 * third + n * 29 % third)) AS l (line_no, number)
JOIN made_products p USING (number)
ORDER BY n DESC, line_no;

ANALYZE made_orders;
ANALYZE made_lines;

-- Replaces the reservations, ledger and levels in Inventory's database by those of the generated orders. Movements by staff are kept.
CREATE TEMP TABLE kept_movements AS SELECT * FROM stock_movements WHERE order_id IS NULL;
TRUNCATE reservations, stock_movements, stock_balances, inbox_messages;
INSERT INTO stock_movements SELECT * FROM kept_movements;

INSERT INTO reservations (order_id, order_version, outcome, lines, shortages, decided_at, shipped, returned_versions)
SELECT o.id, CASE o.status WHEN 'delivered' THEN 3 ELSE 1 END,
    CASE o.status WHEN 'delivered' THEN 'shipped' WHEN 'rejected' THEN 'rejected' ELSE 'reserved' END,
    CASE o.status WHEN 'confirmed' THEN held ELSE '[]' END,
    CASE o.status WHEN 'rejected' THEN short ELSE '[]' END,
    CASE o.status WHEN 'delivered' THEN o.shipped_at ELSE o.decided_at END,
    CASE o.status WHEN 'delivered' THEN held END, CASE o.status WHEN 'delivered' THEN '[]'::jsonb END
FROM made_orders o JOIN (
    SELECT n,
        jsonb_agg(jsonb_build_object('productId', product_id, 'location', 'default', 'quantity', quantity) ORDER BY line_no) AS held,
        jsonb_agg(jsonb_build_object('productId', product_id, 'requested', quantity, 'available', 0) ORDER BY line_no) AS short
    FROM made_lines GROUP BY n) AS l USING (n)
ORDER BY n DESC;

INSERT INTO stock_movements (product_id, id, location, kind, on_hand_delta, reserved_delta, order_id, event_id, occurred_at)
SELECT l.product_id, pg_temp.made_id(m.kind + l.line_no, n, m.at), 'default', m.name, m.sign_on_hand * l.quantity, m.sign_reserved * l.quantity,
    o.id, pg_temp.made_id(m.event, n, m.at), m.at
FROM made_orders o JOIN made_lines l USING (n) CROSS JOIN LATERAL (VALUES
    (16, 2, o.decided_at, 'reserved', 0, 1, status <> 'rejected'),
    (32, 5, o.shipped_at, 'shipped', -1, -1, status = 'delivered')) AS m (kind, event, at, name, sign_on_hand, sign_reserved, happened)
WHERE happened
ORDER BY m.at;

INSERT INTO inbox_messages (id, handled_at)
SELECT pg_temp.made_id(kind, n, f.at), f.at
FROM made_orders o CROSS JOIN LATERAL (VALUES (2, o.at, true), (4, o.decided_at, true), (5, o.shipped_at, status = 'delivered'), (7, o.delivered_at, status = 'delivered'))
    AS f (kind, at, happened)
WHERE happened AND f.at > now() - interval '29 days'
ORDER BY n DESC;

-- Versions must increase, so that a cache does not take its old value for newer.
UPDATE stock_levels s SET on_hand = m.on_hand, reserved = m.reserved, version = version + 1, updated_at = now()
FROM (SELECT product_id, location, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved FROM stock_movements GROUP BY 1, 2) AS m
WHERE s.product_id = m.product_id AND s.location = m.location;

-- As after a run of the service's own job, which would otherwise do all of this during a measurement.
WITH closed AS (
    SELECT DISTINCT ON (product_id) product_id, id AS last_movement_id FROM stock_movements
    WHERE id < pg_temp.made_id(0, 0, now() - interval '1 day') ORDER BY product_id, id DESC)
INSERT INTO stock_balances (product_id, location, on_hand, reserved, last_movement_id)
SELECT product_id, location, sum(on_hand_delta), sum(reserved_delta), last_movement_id
FROM stock_movements JOIN closed USING (product_id) WHERE id <= last_movement_id
GROUP BY product_id, location, last_movement_id;

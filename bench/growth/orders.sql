-- Replaces all orders in Orders' database by the generated ones. As in the service, keys are kept for a day and inbox rows for 30 days.
TRUNCATE orders, order_lines, order_history, idempotency_keys, inbox_messages;

INSERT INTO orders (id, customer_id, status, version, currency, total, rejection, carrier, tracking_number, placed_at, updated_at, waiting_since)
SELECT o.id, o.customer_id, o.status, CASE o.status WHEN 'delivered' THEN 4 ELSE 2 END, 'EUR', sum(l.quantity * p.price),
    CASE o.status WHEN 'rejected' THEN jsonb_build_object('code', 'insufficientStock',
        'lines', jsonb_agg(jsonb_build_object('productId', l.product_id, 'requested', l.quantity, 'available', 0) ORDER BY line_no)) END,
    CASE o.status WHEN 'delivered' THEN 'Parcel' END, CASE o.status WHEN 'delivered' THEN 'P' || n END,
    o.at, CASE o.status WHEN 'delivered' THEN o.delivered_at ELSE o.decided_at END, CASE o.status WHEN 'delivered' THEN o.delivered_at ELSE o.decided_at END
FROM made_orders o JOIN made_lines l USING (n) JOIN product_copies p USING (product_id)
GROUP BY n, o.id, o.customer_id, o.status, o.at, o.decided_at, o.delivered_at
ORDER BY n DESC;

INSERT INTO order_lines (order_id, line_no, product_id, sku, name, quantity, unit_price)
SELECT o.id, line_no, product_id, p.sku, p.name, l.quantity, p.price
FROM made_orders o JOIN made_lines l USING (n) JOIN product_copies p USING (product_id)
ORDER BY n DESC, line_no;

INSERT INTO order_history (order_id, event_id, version, at, service, what, data, trace_id)
SELECT o.id, pg_temp.made_id(kind, n, f.at), version, f.at, service, what, data::jsonb, md5(n::text)
FROM made_orders o CROSS JOIN LATERAL (VALUES
    (2, 1, o.at, 'orders', 'order placed', '{"by": "caller", "status": "pending"}', true),
    (3, NULL, o.decided_at, 'inventory', 'stock reserved', '{"outcome": "reserved", "orderVersion": 1}', status <> 'rejected'),
    (3, NULL, o.decided_at, 'inventory', 'stock short', '{"outcome": "rejected", "orderVersion": 1}', status = 'rejected'),
    (4, 2, o.decided_at, 'orders', 'order confirmed', '{"by": "inventory", "status": "confirmed", "previousStatus": "pending"}', status <> 'rejected'),
    (4, 2, o.decided_at, 'orders', 'order rejected', '{"by": "inventory", "status": "rejected", "previousStatus": "pending"}', status = 'rejected'),
    (5, 3, o.shipped_at, 'orders', 'order shipped', '{"by": "caller", "status": "shipped", "carrier": "Parcel", "previousStatus": "confirmed"}', status = 'delivered'),
    (6, NULL, o.shipped_at, 'inventory', 'stock shipped', '{"outcome": "shipped", "orderVersion": 3}', status = 'delivered'),
    (7, 4, o.delivered_at, 'orders', 'order delivered', '{"by": "caller", "status": "delivered", "previousStatus": "shipped"}', status = 'delivered'))
    AS f (kind, version, at, service, what, data, happened)
WHERE happened
ORDER BY n DESC, kind;

INSERT INTO idempotency_keys (caller, key, fingerprint, resource_id, created_at)
SELECT customer_id::text, 'made-' || n, sha256(n::text::bytea), id, at FROM made_orders WHERE at > now() - interval '23 hours' ORDER BY n DESC;

INSERT INTO inbox_messages (id, handled_at)
SELECT pg_temp.made_id(kind, n, f.at), f.at
FROM made_orders o CROSS JOIN LATERAL (VALUES (3, o.decided_at, true), (6, o.shipped_at, status = 'delivered')) AS f (kind, at, happened)
WHERE happened AND f.at > now() - interval '29 days'
ORDER BY n DESC;

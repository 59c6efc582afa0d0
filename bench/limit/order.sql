-- One order of three lines, from its placement to its last notification: the statements that write it in all services, one order at a time.
--
-- Each transaction goes to the server as one pipeline, that is, one round trip and one implicit transaction, as in the services. Omitted, in
-- PostgreSQL's favour: all reads that are not locks (keys, customers, product copies, the stock check, the outbox that the relay reads),
-- Kafka, and the sending of mails. Nothing is batched across orders: that is the services' advantage.
--
-- n counts this client's orders; each run begins at another n, so that ids never collide.
\set n :n + 1
-- Distinct and in the order of ids, as the locks require.
\set p1 random(1, 333)
\set p2 random(334, 666)
\set p3 random(667, 1000)
\set customer random(1, 100)

-- 1. Orders: the placement.
\startpipeline
INSERT INTO orders.idempotency_keys (caller, key, fingerprint, resource_id, created_at)
VALUES (limit_id(1, 0, :customer::bigint)::text, limit_id(15, :client_id::int, :n::bigint)::text, sha256('order'), limit_id(2, :client_id::int, :n::bigint), now());
INSERT INTO orders.orders (id, customer_id, status, version, currency, total, placed_at, updated_at)
VALUES (limit_id(2, :client_id::int, :n::bigint), limit_id(1, 0, :customer::bigint), 'pending', 1, 'EUR', 107.94, now(), now());
INSERT INTO orders.order_lines (order_id, line_no, product_id, sku, name, quantity, unit_price)
SELECT limit_id(2, :client_id::int, :n::bigint), line_no, limit_id(9, 0, product), 'LIMIT-0001', 'Limit product 0001', 2, 17.99
FROM (VALUES (1, :p1::bigint), (2, :p2::bigint), (3, :p3::bigint)) AS l (line_no, product);
INSERT INTO orders.order_history (order_id, event_id, version, at, service, what, data, trace_id)
VALUES (limit_id(2, :client_id::int, :n::bigint), limit_id(3, :client_id::int, :n::bigint), 1, now(), 'orders', 'order placed', '{"status":"pending","by":"caller"}', '4bf92f3577b34da6a3ce929d0e0e4736');
INSERT INTO orders.outbox_messages (slot, key, version, id, topic, headers, payload, created_at)
VALUES (:n::bigint % 16, limit_id(2, :client_id::int, :n::bigint)::text, 1, limit_id(3, :client_id::int, :n::bigint), 'order.created', limit_headers(), limit_payload(750), now());
\endpipeline

-- 2. Orders' relay: order.created was acknowledged. As in the relay, this commit does not wait for the disk.
\startpipeline
SELECT set_config('synchronous_commit', 'off', true);
DELETE FROM orders.outbox_messages
WHERE slot = :n::bigint % 16 AND key = limit_id(2, :client_id::int, :n::bigint)::text AND version = 1 AND id = limit_id(3, :client_id::int, :n::bigint);
\endpipeline

-- 3. Inventory: the reservation. The locks come first and in the order of ids; otherwise two orders with the same products could deadlock.
\startpipeline
INSERT INTO inventory.inbox_messages (id, handled_at) VALUES (limit_id(3, :client_id::int, :n::bigint), now()) ON CONFLICT DO NOTHING;
SELECT on_hand, reserved FROM inventory.stock_levels
WHERE product_id IN (limit_id(9, 0, :p1::bigint), limit_id(9, 0, :p2::bigint), limit_id(9, 0, :p3::bigint)) ORDER BY product_id, location FOR UPDATE;
UPDATE inventory.stock_levels SET reserved = reserved + 2, version = version + 1, updated_at = now()
WHERE product_id IN (limit_id(9, 0, :p1::bigint), limit_id(9, 0, :p2::bigint), limit_id(9, 0, :p3::bigint)) AND location = 'default';
INSERT INTO inventory.reservations (order_id, order_version, outcome, lines, shortages, decided_at)
VALUES (limit_id(2, :client_id::int, :n::bigint), 1, 'reserved',
    '[{"productId":"00000000-0001-7000-8009-000000000000","location":"default","quantity":2},{"productId":"00000000-0002-7000-8009-000000000000","location":"default","quantity":2},{"productId":"00000000-0003-7000-8009-000000000000","location":"default","quantity":2}]',
    '[]', now());
INSERT INTO inventory.stock_movements (product_id, id, location, kind, on_hand_delta, reserved_delta, order_id, event_id, occurred_at)
SELECT limit_id(9, 0, product), limit_id(kind, :client_id::int, :n::bigint), 'default', 'reserved', 0, 2, limit_id(2, :client_id::int, :n::bigint), limit_id(3, :client_id::int, :n::bigint), now()
FROM (VALUES (12, :p1::bigint), (13, :p2::bigint), (14, :p3::bigint)) AS m (kind, product);
-- The outcome, and one inventory.updated for each product.
INSERT INTO inventory.outbox_messages (slot, key, version, id, topic, headers, payload, created_at)
SELECT :n::bigint % 16, key::text, 1, limit_id(kind, :client_id::int, :n::bigint), topic, limit_headers(), limit_payload(200), now()
FROM (VALUES
    (4, limit_id(2, :client_id::int, :n::bigint), 'inventory.reservation'),
    (6, limit_id(9, 0, :p1::bigint), 'inventory.updated'),
    (7, limit_id(9, 0, :p2::bigint), 'inventory.updated'),
    (8, limit_id(9, 0, :p3::bigint), 'inventory.updated')) AS e (kind, key, topic);
\endpipeline

-- 4. Inventory's relay.
\startpipeline
SELECT set_config('synchronous_commit', 'off', true);
DELETE FROM inventory.outbox_messages
WHERE slot = :n::bigint % 16 AND version = 1
    AND key = ANY (ARRAY[limit_id(2, :client_id::int, :n::bigint), limit_id(9, 0, :p1::bigint), limit_id(9, 0, :p2::bigint), limit_id(9, 0, :p3::bigint)]::text[])
    AND id = ANY (ARRAY[limit_id(4, :client_id::int, :n::bigint), limit_id(6, :client_id::int, :n::bigint), limit_id(7, :client_id::int, :n::bigint), limit_id(8, :client_id::int, :n::bigint)]);
\endpipeline

-- 5. Orders: the confirmation.
\startpipeline
INSERT INTO orders.inbox_messages (id, handled_at) VALUES (limit_id(4, :client_id::int, :n::bigint), now()) ON CONFLICT DO NOTHING;
UPDATE orders.orders SET status = 'confirmed', version = 2, updated_at = now()
WHERE id = limit_id(2, :client_id::int, :n::bigint) AND version = 1;
INSERT INTO orders.order_history (order_id, event_id, version, at, service, what, data, trace_id)
VALUES
    (limit_id(2, :client_id::int, :n::bigint), limit_id(4, :client_id::int, :n::bigint), NULL, now(), 'inventory', 'stock reserved', '{"orderVersion":1,"outcome":"reserved"}', '4bf92f3577b34da6a3ce929d0e0e4736'),
    (limit_id(2, :client_id::int, :n::bigint), limit_id(5, :client_id::int, :n::bigint), 2, now(), 'orders', 'order confirmed', '{"status":"confirmed","previousStatus":"pending","by":"inventory"}', '4bf92f3577b34da6a3ce929d0e0e4736');
INSERT INTO orders.outbox_messages (slot, key, version, id, topic, headers, payload, created_at)
VALUES (:n::bigint % 16, limit_id(2, :client_id::int, :n::bigint)::text, 2, limit_id(5, :client_id::int, :n::bigint), 'order.updated', limit_headers(), limit_payload(900), now());
\endpipeline

-- 6. Orders' relay again.
\startpipeline
SELECT set_config('synchronous_commit', 'off', true);
DELETE FROM orders.outbox_messages
WHERE slot = :n::bigint % 16 AND key = limit_id(2, :client_id::int, :n::bigint)::text AND version = 2 AND id = limit_id(5, :client_id::int, :n::bigint);
\endpipeline

-- 7. Notifications: 'received' and 'confirmed'. They arrive as two events; one transaction for both is again in PostgreSQL's favour.
\startpipeline
INSERT INTO notifications.inbox_messages (id, handled_at)
VALUES (limit_id(3, :client_id::int, :n::bigint), now()), (limit_id(5, :client_id::int, :n::bigint), now()) ON CONFLICT DO NOTHING;
INSERT INTO notifications.notifications (id, event_id, event_type, order_id, customer_id, template, channel, recipient_ref, data, status, attempts, attempts_before, created_at, due_since, next_attempt_at)
SELECT limit_id(kind, :client_id::int, :n::bigint), limit_id(event, :client_id::int, :n::bigint), type, limit_id(2, :client_id::int, :n::bigint), limit_id(1, 0, :customer::bigint), template,
    'email', 'customer', '{"total":"107.94 EUR","lines":[{"name":"Limit product 0001","quantity":2},{"name":"Limit product 0001","quantity":2},{"name":"Limit product 0001","quantity":2}]}',
    'pending', 0, 0, now(), now(), now()
FROM (VALUES (10, 3, 'order.created.v1', 'orderReceived'), (11, 5, 'order.updated.v1', 'orderConfirmed')) AS e (kind, event, type, template)
ON CONFLICT (event_id, template, channel, recipient_ref) DO NOTHING;
\endpipeline

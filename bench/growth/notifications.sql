-- Replaces all notifications in Notifications' database by those of the generated orders. All of them have been sent.
TRUNCATE notifications, inbox_messages;

INSERT INTO notifications (id, event_id, event_type, order_id, order_version, customer_id, template, channel, recipient_ref, data, status, attempts, attempts_before,
    created_at, due_since, next_attempt_at, sent_at, recipient, template_language, template_version, subject, body)
SELECT pg_temp.made_id(kind + 64, n, f.at), pg_temp.made_id(kind, n, f.at), type, o.id, version, o.customer_id, template, 'email', o.customer_id::text, l.data, 'sent', 1, 0,
    f.at, f.at, f.at, f.at, 'made-' || n % 100 || '@example.com', 'en', 0, 'Your order ' || o.id, 'Dear customer, ' || repeat('this is what happened to your order. ', 6) || o.id
FROM made_orders o
JOIN (
    SELECT n, jsonb_build_object('lines', jsonb_agg(jsonb_build_object('name', 'Load product 0000', 'quantity', quantity)), 'total', jsonb_build_object('amount', 107.94, 'currency', 'EUR')) AS data
    FROM made_lines GROUP BY n) AS l USING (n)
CROSS JOIN LATERAL (VALUES
    (2, 1, o.at, 'order.created.v1', 'orderReceived', true),
    (4, 2, o.decided_at, 'order.updated.v1', CASE status WHEN 'rejected' THEN 'orderRejected' ELSE 'orderConfirmed' END, true),
    (5, 3, o.shipped_at, 'order.updated.v1', 'orderShipped', status = 'delivered'),
    (7, 4, o.delivered_at, 'order.updated.v1', 'orderDelivered', status = 'delivered')) AS f (kind, version, at, type, template, happened)
WHERE happened
ORDER BY n DESC, kind;

INSERT INTO inbox_messages (id, handled_at)
SELECT event_id, created_at FROM notifications WHERE created_at > now() - interval '29 days' ORDER BY id;

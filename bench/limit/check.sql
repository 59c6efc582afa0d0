-- Checks what the measured statements have written, and returns one sentence for each error. A limit measured with statements that do less
-- than those of an order would be worthless.
SELECT count(*) || ' orders are not confirmed, or lack their three lines, three facts of history or two notifications.'
FROM orders.orders o
WHERE status <> 'confirmed' OR version <> 2
    OR (SELECT count(*) FROM orders.order_lines l WHERE l.order_id = o.id) <> 3
    OR (SELECT count(*) FROM orders.order_history h WHERE h.order_id = o.id) <> 3
    OR (SELECT count(*) FROM notifications.notifications n WHERE n.order_id = o.id) <> 2
HAVING count(*) > 0;

SELECT 'There are not three movements and one reservation for each order.'
FROM (SELECT count(*) AS number FROM orders.orders) o
WHERE o.number = 0
    OR (SELECT count(*) FROM inventory.stock_movements) <> 3 * o.number
    OR (SELECT count(*) FROM inventory.reservations) <> o.number
    OR (SELECT sum(reserved) FROM inventory.stock_levels) <> 6 * o.number;

SELECT 'An outbox is not empty.'
WHERE EXISTS (SELECT FROM orders.outbox_messages) OR EXISTS (SELECT FROM inventory.outbox_messages);

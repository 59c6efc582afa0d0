-- The data before the first order: 1,000 products with stock. Runs once, after the tables from the services' own migrations were copied
-- into the schemas orders, inventory and notifications of the database "limit_current".

-- Ids like the services' UUIDv7: they increase with time, so that indexes are appended to instead of written at random places. pgbench has no
-- UUIDs; n counts the orders of one client, kind distinguishes an order from its events.
CREATE FUNCTION limit_id(kind int, client int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (lpad(to_hex(n), 12, '0') || '7000' || '8' || lpad(to_hex(kind), 3, '0') || lpad(to_hex(client), 12, '0'))::uuid $$;

INSERT INTO inventory.stock_levels (product_id, location, on_hand, reserved, low_stock_threshold, version, updated_at)
SELECT limit_id(9, 0, n), 'default', 1000000000, 0, 0, 1, now() FROM generate_series(1, 1000) AS n;

-- Headers and payloads of the size of a real order with three lines, without the cost of creating them, which is the services' work.
CREATE FUNCTION limit_headers() RETURNS json LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT json_build_object('ce_specversion', '1.0', 'padding', repeat('h', 420)) $$;
CREATE FUNCTION limit_payload(size int) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT convert_to(repeat('p', size), 'UTF8') $$;

ANALYZE;

-- The tables and indexes that an order of November 2026 was written to, as PostgreSQL describes them. Frozen with order.sql: change neither.

CREATE SCHEMA orders;

CREATE TABLE orders.idempotency_keys (
    caller text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    resource_id uuid NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL
);

CREATE TABLE orders.inbox_messages (
    id uuid NOT NULL,
    handled_at timestamptz NOT NULL
);

CREATE TABLE orders.order_history (
    order_id uuid NOT NULL,
    event_id uuid NOT NULL,
    version bigint,
    at timestamptz NOT NULL,
    service text NOT NULL,
    what text NOT NULL,
    data jsonb,
    trace_id text
);

CREATE TABLE orders.order_lines (
    order_id uuid NOT NULL,
    line_no integer NOT NULL,
    product_id uuid NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    quantity integer NOT NULL,
    unit_price numeric NOT NULL,
    CONSTRAINT ck_order_lines_quantity CHECK ((quantity >= 1))
);

CREATE TABLE orders.orders (
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    status text NOT NULL,
    version bigint NOT NULL,
    currency text NOT NULL,
    total numeric NOT NULL,
    hold_id uuid,
    reason text,
    rejection jsonb,
    revision jsonb,
    carrier text,
    tracking_number text,
    ship_to jsonb,
    returns jsonb,
    placed_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    waiting_since timestamptz DEFAULT now() NOT NULL,
    ship_to_erased boolean DEFAULT false NOT NULL,
    CONSTRAINT ck_orders_total CHECK ((total >= (0)::numeric))
)
WITH (fillfactor='80');

CREATE TABLE orders.outbox_messages (
    slot smallint NOT NULL,
    key text NOT NULL COLLATE "C",
    version bigint NOT NULL,
    id uuid NOT NULL,
    topic text NOT NULL,
    headers json NOT NULL,
    payload bytea NOT NULL,
    created_at timestamptz NOT NULL
);

ALTER TABLE orders.idempotency_keys ADD CONSTRAINT pk_idempotency_keys PRIMARY KEY (caller, key);
ALTER TABLE orders.inbox_messages ADD CONSTRAINT pk_inbox_messages PRIMARY KEY (id);
ALTER TABLE orders.order_history ADD CONSTRAINT pk_order_history PRIMARY KEY (order_id, event_id);
ALTER TABLE orders.order_lines ADD CONSTRAINT pk_order_lines PRIMARY KEY (order_id, line_no);
ALTER TABLE orders.orders ADD CONSTRAINT pk_orders PRIMARY KEY (id);
ALTER TABLE orders.outbox_messages ADD CONSTRAINT pk_outbox_messages PRIMARY KEY (slot, key, version, id);
CREATE INDEX ix_idempotency_keys_created_at ON orders.idempotency_keys (created_at);
CREATE INDEX ix_order_lines_product_id_order_id ON orders.order_lines (product_id, order_id);
CREATE INDEX ix_orders_customer_id_id ON orders.orders (customer_id, id);
CREATE INDEX ix_orders_waiting ON orders.orders (status, waiting_since) WHERE (status = ANY (ARRAY['pending', 'revisionPending', 'cancelPending']));
ALTER TABLE orders.order_lines ADD CONSTRAINT fk_order_lines_orders_order_id FOREIGN KEY (order_id) REFERENCES orders.orders(id) ON DELETE CASCADE;

CREATE SCHEMA inventory;

CREATE TABLE inventory.inbox_messages (
    id uuid NOT NULL,
    handled_at timestamptz NOT NULL
);

CREATE TABLE inventory.outbox_messages (
    slot smallint NOT NULL,
    key text NOT NULL COLLATE "C",
    version bigint NOT NULL,
    id uuid NOT NULL,
    topic text NOT NULL,
    headers json NOT NULL,
    payload bytea NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE inventory.reservations (
    order_id uuid NOT NULL,
    order_version bigint NOT NULL,
    outcome text NOT NULL,
    lines jsonb NOT NULL,
    shortages jsonb NOT NULL,
    decided_at timestamptz NOT NULL,
    shipped jsonb,
    returned_versions jsonb
);

CREATE TABLE inventory.stock_levels (
    product_id uuid NOT NULL,
    location text NOT NULL,
    on_hand bigint NOT NULL,
    reserved bigint NOT NULL,
    available bigint GENERATED ALWAYS AS ((on_hand - reserved)) STORED NOT NULL,
    low_stock_threshold bigint NOT NULL,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    removed boolean DEFAULT false NOT NULL,
    CONSTRAINT ck_stock_levels_reserved CHECK (((reserved >= 0) AND (reserved <= on_hand)))
)
WITH (fillfactor='50');

CREATE TABLE inventory.stock_movements (
    product_id uuid NOT NULL,
    id uuid NOT NULL,
    location text NOT NULL,
    kind text NOT NULL,
    on_hand_delta bigint NOT NULL,
    reserved_delta bigint NOT NULL,
    order_id uuid,
    hold_id uuid,
    reason text,
    reference text,
    event_id uuid,
    occurred_at timestamptz NOT NULL
);

ALTER TABLE inventory.inbox_messages ADD CONSTRAINT pk_inbox_messages PRIMARY KEY (id);
ALTER TABLE inventory.outbox_messages ADD CONSTRAINT pk_outbox_messages PRIMARY KEY (slot, key, version, id);
ALTER TABLE inventory.reservations ADD CONSTRAINT pk_reservations PRIMARY KEY (order_id);
ALTER TABLE inventory.stock_levels ADD CONSTRAINT pk_stock_levels PRIMARY KEY (product_id, location);
ALTER TABLE inventory.stock_movements ADD CONSTRAINT pk_stock_movements PRIMARY KEY (product_id, id);

CREATE SCHEMA notifications;

CREATE TABLE notifications.inbox_messages (
    id uuid NOT NULL,
    handled_at timestamptz NOT NULL
);

CREATE TABLE notifications.notifications (
    id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    order_id uuid,
    customer_id uuid,
    template text NOT NULL,
    channel text NOT NULL,
    recipient_ref text NOT NULL,
    data jsonb NOT NULL,
    trace_parent text,
    status text NOT NULL,
    attempts integer NOT NULL,
    attempts_before integer NOT NULL,
    created_at timestamptz NOT NULL,
    due_since timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    leased_by uuid,
    lease_until timestamptz,
    sent_at timestamptz,
    last_error text,
    recipient text,
    template_language text,
    template_version bigint,
    subject text,
    body text,
    order_version bigint
);

ALTER TABLE notifications.inbox_messages ADD CONSTRAINT pk_inbox_messages PRIMARY KEY (id);
ALTER TABLE notifications.notifications ADD CONSTRAINT pk_notifications PRIMARY KEY (id);
CREATE INDEX ix_notifications_customer_id_id ON notifications.notifications (customer_id, id) WHERE (customer_id IS NOT NULL);
CREATE UNIQUE INDEX ix_notifications_event_id_template_channel_recipient_ref ON notifications.notifications (event_id, template, channel, recipient_ref);
CREATE INDEX ix_notifications_failed ON notifications.notifications (id) WHERE (status = 'failed');
CREATE INDEX ix_notifications_order_id ON notifications.notifications (order_id) WHERE (order_id IS NOT NULL);
CREATE INDEX ix_notifications_pending ON notifications.notifications (channel, next_attempt_at) WHERE (status = 'pending');
CREATE INDEX ix_notifications_recipient_ref ON notifications.notifications (recipient_ref) WHERE ((customer_id IS NULL) AND (channel <> 'webhook'));
CREATE INDEX ix_notifications_webhook ON notifications.notifications (recipient_ref, next_attempt_at) WHERE ((status = 'pending') AND (channel = 'webhook'));

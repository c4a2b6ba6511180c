-- What happened, written with the change itself. A row is never changed; old rows are pruned by age.
CREATE TABLE outbox (
    -- only: sqlite
    position     INTEGER PRIMARY KEY AUTOINCREMENT,
    -- end
    -- only: postgresql
    -- (number of the writing transaction + shift) * 2^20 + place in the transaction. A reader stops below the oldest
    -- transaction that still runs, and has then seen everything before its position, whoever commits later.
    position     BIGINT PRIMARY KEY,
    -- end
    tenant_id    {{id}},
    type         {{text}} NOT NULL,
    aggregate    {{text}} NOT NULL,
    aggregate_id {{text}} NOT NULL,
    device_id    {{id}},
    data         {{json}} NOT NULL,
    time         {{time}} NOT NULL
) {{strict}};
CREATE INDEX outbox_tenant ON outbox (tenant_id, position);
-- only: sqlite
CREATE INDEX outbox_time ON outbox (time);
-- end
-- only: postgresql
-- Rows come in the order of time, so a few bytes for each stretch of the table find what is old.
CREATE INDEX outbox_time ON outbox USING brin (time) WITH (pages_per_range = 32);
-- end
-- only: postgresql
-- A restored database is on a server whose transactions are numbered from elsewhere: shift keeps positions growing.
CREATE TABLE outbox_epoch (
    one   BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),
    shift BIGINT NOT NULL
);
INSERT INTO outbox_epoch (shift) VALUES (0);
-- end

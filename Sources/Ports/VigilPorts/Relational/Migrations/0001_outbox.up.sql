-- What happened, written with the change itself. A row is never changed; old rows are pruned by age.
CREATE TABLE outbox (
    -- only: sqlite
    position     INTEGER PRIMARY KEY AUTOINCREMENT,
    -- end
    -- only: postgresql
    position     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The writing transaction: a reader sees a row only when no older transaction can still add one.
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
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
CREATE INDEX outbox_time ON outbox (time);
-- only: postgresql
CREATE INDEX outbox_transaction ON outbox (transaction_id, position);
-- end

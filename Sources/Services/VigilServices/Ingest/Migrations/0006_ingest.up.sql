-- Readings themselves are in the series store; here stands what is known about those who send them.

-- When a device was last heard; not bound to the device's row, so that no batch fails because a device is just being
-- deleted. Written with the batches, at most once a second for a device.
CREATE TABLE device_activity (
    device_id    {{id}} NOT NULL PRIMARY KEY,
    tenant_id    {{id}} NOT NULL,
    -- The newest reading's own time.
    last_seen    {{time}} NOT NULL,
    -- When the last batch reached us.
    last_arrival {{time}} NOT NULL,
    -- The connection state that was told last: online, warning, offline.
    state        {{text}},
    -- Arrival minus the device's own time, of the latest batch, in microseconds: how late or how wrong its clock is.
    clock_skew   {{int}} NOT NULL
) {{strict}};
CREATE INDEX device_activity_tenant ON device_activity (tenant_id, device_id);
CREATE INDEX device_activity_arrival ON device_activity (tenant_id, last_arrival);

-- How far the batches of a tenant have been evaluated. A batch whose number is greater is evaluated (again) at start.
CREATE TABLE ingest_progress (
    tenant_id         {{id}} NOT NULL PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
    evaluated_through {{int}} NOT NULL,
    updated_at        {{time}} NOT NULL
) {{strict}};

-- One row per batch.
CREATE TABLE ingest_log (
    id           {{id}} NOT NULL PRIMARY KEY,
    tenant_id    {{id}} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- When the batch arrived.
    time         {{time}} NOT NULL,
    -- The form it came in: line, json, steam, csv.
    source       {{text}} NOT NULL,
    status       {{text}} NOT NULL CHECK (status IN ('success', 'partial', 'error')),
    -- Readings that were stored and readings that were refused.
    accepted     {{int}} NOT NULL,
    refused      {{int}} NOT NULL,
    -- The span of the readings' own times; NULL when nothing was stored.
    first_time   {{time}},
    last_time    {{time}},
    -- Up to 20 refused readings: where and why.
    reasons      {{json}} NOT NULL,
    -- Who sent it: the name of the token, the user or the device.
    sender       {{text}} NOT NULL
) {{strict}};
CREATE INDEX ingest_log_time ON ingest_log (tenant_id, time, id);
CREATE INDEX ingest_log_status ON ingest_log (tenant_id, status, time);

-- Which measurement and field made a metric name first: another pair that would make the same name is refused.
CREATE TABLE metric_names (
    tenant_id    {{id}} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    metric       {{text}} NOT NULL,
    measurement  {{text}} NOT NULL,
    field        {{text}} NOT NULL,
    first_seen   {{time}} NOT NULL,
    PRIMARY KEY (tenant_id, metric)
) {{strict}};

-- What a device reports: each metric with its kind and unit.
CREATE TABLE device_metrics (
    tenant_id    {{id}} NOT NULL,
    device_id    {{id}} NOT NULL,
    metric       {{text}} NOT NULL,
    -- float, integer, boolean, text, object; the kind it had last.
    kind         {{text}} NOT NULL,
    unit         {{text}},
    first_seen   {{time}} NOT NULL,
    PRIMARY KEY (tenant_id, device_id, metric)
) {{strict}};

-- Fields that no handler and no profile knows.
CREATE TABLE unknown_fields (
    id           {{id}} NOT NULL PRIMARY KEY,
    tenant_id    {{id}} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- The metric's name.
    name         {{text}} NOT NULL,
    first_seen   {{time}} NOT NULL,
    last_seen    {{time}} NOT NULL,
    -- How many values came.
    occurrences  {{int}} NOT NULL,
    -- Inferred from the values and the name.
    kind         {{text}} NOT NULL,
    unit         {{text}},
    -- At most 50 distinct values.
    samples      {{json}} NOT NULL,
    -- At most 100 devices.
    devices      {{json}} NOT NULL,
    state        {{text}} NOT NULL CHECK (state IN ('new', 'promoted', 'ignored')),
    version      {{int}} NOT NULL,
    UNIQUE (tenant_id, name)
) {{strict}};
CREATE INDEX unknown_fields_state ON unknown_fields (tenant_id, state, last_seen);

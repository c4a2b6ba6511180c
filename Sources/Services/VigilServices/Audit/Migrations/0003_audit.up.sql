-- Who did what to what, with the values before and after. A row is never changed; old rows are pruned by age.
CREATE TABLE audit_entries (
    id           {{id}} PRIMARY KEY,
    -- NULL where no tenant is concerned: the installation itself.
    tenant_id    {{id}},
    time         {{time}} NOT NULL,
    -- user, token, device, local, system, anonymous
    actor_kind   {{text}} NOT NULL,
    -- The user behind a session or a token; the device; NULL for local, system and anonymous.
    actor_id     {{id}},
    -- As it was then: names change, the trail does not.
    actor_name   {{text}} NOT NULL,
    address      {{text}},
    action       {{text}} NOT NULL,
    resource     {{text}} NOT NULL,
    resource_id  {{text}} NOT NULL,
    device_id    {{id}},
    value_before {{json}},
    value_after  {{json}}
) {{strict}};
CREATE INDEX audit_entries_tenant ON audit_entries (tenant_id, id);
CREATE INDEX audit_entries_resource ON audit_entries (tenant_id, resource, resource_id, id);
CREATE INDEX audit_entries_actor ON audit_entries (tenant_id, actor_id, id);
-- only: sqlite
CREATE INDEX audit_entries_time ON audit_entries (time);
-- end
-- only: postgresql
-- Rows come in the order of time, so a few bytes for each stretch of the table find what is old.
CREATE INDEX audit_entries_time ON audit_entries USING brin (time) WITH (pages_per_range = 32);
-- end

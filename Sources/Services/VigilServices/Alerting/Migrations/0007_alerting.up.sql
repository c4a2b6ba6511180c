-- What is watched, how it stands, and what became of it.

CREATE TABLE rules (
    id           {{id}} NOT NULL PRIMARY KEY,
    tenant_id    {{id}} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name         {{text}} NOT NULL,
    is_enabled   {{bool}} NOT NULL,
    -- above, below, between, outside, state, missing.
    condition    {{text}} NOT NULL,
    -- NULL: the rule is about the device itself (missing).
    metric       {{text}},
    severity     {{int}} NOT NULL,
    type         {{text}} NOT NULL,
    -- The whole rule, as the interface shows it.
    definition   {{json}} NOT NULL,
    version      {{int}} NOT NULL,
    created_at   {{time}} NOT NULL,
    updated_at   {{time}} NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, name)
) {{strict}};

-- How a rule stands for one subject: written when it changes, so that hold times survive a restart.
CREATE TABLE rule_conditions (
    tenant_id    {{id}} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- The rule's identifier, or the name of a handler's own rule (handler:contact.open).
    rule_key     {{text}} NOT NULL,
    -- The device with the labels of the series, or the labels alone.
    subject      {{text}} NOT NULL,
    device_id    {{id}},
    -- normal, pending (breached, not yet for long enough), active.
    state        {{text}} NOT NULL CHECK (state IN ('normal', 'pending', 'active')),
    -- The first breaching sample of the present episode.
    pending_since {{time}},
    -- When an alert was last raised, by the time of the sample.
    last_fired   {{time}},
    -- The sample that changed it last.
    changed_at   {{time}} NOT NULL,
    -- The states of the recent past, so that late readings can be judged: at most 64.
    history      {{json}} NOT NULL,
    updated_at   {{time}} NOT NULL,
    PRIMARY KEY (tenant_id, rule_key, subject)
) {{strict}};
CREATE INDEX rule_conditions_device ON rule_conditions (tenant_id, device_id);

CREATE TABLE alerts (
    id           {{id}} NOT NULL PRIMARY KEY,
    tenant_id    {{id}} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- NULL when the rule was deleted: its alerts stay.
    rule_id      {{id}},
    -- Who raised it: a rule's key, handler:…, system:…, external:….
    source       {{text}} NOT NULL,
    subject      {{text}} NOT NULL,
    -- NULL when the device or place was deleted for good.
    device_id    {{id}},
    site_id      {{id}},
    location_id  {{id}},
    type         {{text}} NOT NULL,
    subtype      {{text}},
    severity     {{int}} NOT NULL,
    title        {{text}} NOT NULL,
    message      {{text}} NOT NULL,
    metric       {{text}},
    value_number {{real}},
    value_text   {{text}},
    unit         {{text}},
    -- The first breaching sample, and the sample at which it was held for long enough: when it truly happened.
    started_at   {{time}} NOT NULL,
    event_time   {{time}} NOT NULL,
    -- When we knew.
    known_at     {{time}} NOT NULL,
    -- When the condition was breached last, and how often while the alert stood.
    last_time    {{time}} NOT NULL,
    occurrences  {{int}} NOT NULL,
    -- active or normal: whether what it tells of still holds.
    condition    {{text}} NOT NULL CHECK (condition IN ('active', 'normal')),
    recovered_at {{time}},
    -- none, shelved, suppressed, out_of_service.
    suppression  {{text}} NOT NULL CHECK (suppression IN ('none', 'shelved', 'suppressed', 'out_of_service')),
    is_latched   {{bool}} NOT NULL,
    is_acknowledged {{bool}} NOT NULL,
    acknowledged_at {{time}},
    acknowledged_by {{id}},
    acknowledged_name {{text}},
    closure      {{text}} NOT NULL CHECK (closure IN ('open', 'resolved', 'dismissed')),
    closed_at    {{time}},
    closed_by    {{id}},
    closed_name  {{text}},
    note         {{text}},
    -- Late readings showed that it had not been so.
    retracted_at {{time}},
    dedup_key    {{text}} NOT NULL,
    metadata     {{json}} NOT NULL,
    version      {{int}} NOT NULL,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (rule_id) REFERENCES rules (id) ON DELETE SET NULL,
    FOREIGN KEY (device_id) REFERENCES devices (id) ON DELETE SET NULL,
    FOREIGN KEY (site_id) REFERENCES sites (id) ON DELETE SET NULL,
    FOREIGN KEY (location_id) REFERENCES locations (id) ON DELETE SET NULL
) {{strict}};
-- At most one stands for a rule and a subject.
CREATE UNIQUE INDEX alerts_open ON alerts (tenant_id, source, subject) WHERE closure = 'open';
CREATE INDEX alerts_occurrence ON alerts (tenant_id, source, subject, event_time);
CREATE INDEX alerts_time ON alerts (tenant_id, event_time, id);
-- What waits for somebody, the worst first.
CREATE INDEX alerts_attention ON alerts (tenant_id, is_acknowledged, severity, event_time);
-- What stands is little beside what was.
CREATE INDEX alerts_standing ON alerts (tenant_id, severity, event_time) WHERE closure = 'open';
-- The statistics read nothing but this index.
-- only: sqlite
CREATE INDEX alerts_statistics ON alerts (tenant_id, event_time, severity, type, closure, is_acknowledged);
-- end
-- only: postgresql
CREATE INDEX alerts_statistics ON alerts (tenant_id, event_time) INCLUDE (severity, type, closure, is_acknowledged);
-- end
CREATE INDEX alerts_closure ON alerts (tenant_id, closure, event_time, id);
CREATE INDEX alerts_device ON alerts (tenant_id, device_id, event_time DESC);
CREATE INDEX alerts_dedup ON alerts (tenant_id, dedup_key, event_time);
CREATE INDEX alerts_rule ON alerts (rule_id, event_time);
CREATE INDEX alerts_device_reference ON alerts (device_id);
CREATE INDEX alerts_site ON alerts (site_id, event_time);
CREATE INDEX alerts_location ON alerts (location_id, event_time);

-- What happened to an alert. A row is never changed.
CREATE TABLE alert_journal (
    id           {{id}} NOT NULL PRIMARY KEY,
    tenant_id    {{id}} NOT NULL,
    alert_id     {{id}} NOT NULL,
    -- The alert's version after it: the order of what happened in one moment.
    sequence     {{int}} NOT NULL,
    time         {{time}} NOT NULL,
    -- raised, repeated, recovered, acknowledged, resolved, dismissed, retracted, commented.
    action       {{text}} NOT NULL,
    -- NULL: Vigil itself.
    user_id      {{id}},
    name         {{text}} NOT NULL,
    note         {{text}},
    FOREIGN KEY (tenant_id, alert_id) REFERENCES alerts (tenant_id, id) ON DELETE CASCADE
) {{strict}};
CREATE INDEX alert_journal_alert ON alert_journal (tenant_id, alert_id, sequence);

-- How long things are kept. Of the rules of a subject the most specific wins; where none fits, what Vigil brings holds.
-- The three bounds are ages: 12h, 7d, 2w, 5y, forever. An absent tier is passed over; what is older than the last bound
-- goes.
CREATE TABLE retention_rules (
    id         {{id}} NOT NULL PRIMARY KEY,
    -- NULL: of the installation, for what belongs to no tenant.
    tenant_id  {{id}} REFERENCES tenants (id) ON DELETE RESTRICT,
    -- reading, report, audit, chat, ingest, job, journal, outbox, idempotency, log
    subject    {{text}} NOT NULL,
    site_id    {{id}},
    profile_id {{id}},
    -- A metric's name, or a pattern in which * stands for any text.
    metric     {{text}},
    hot        {{text}},
    warm       {{text}},
    archive    {{text}},
    -- Ages up to which aggregates of readings stay after their readings went; NULL: none of this width.
    rollup_minute {{text}},
    rollup_hour   {{text}},
    rollup_day    {{text}},
    -- Nothing that the rule selects goes, whatever other rules say.
    legal_hold {{bool}} NOT NULL,
    reason     {{text}},
    version    {{int}} NOT NULL,
    created_at {{time}} NOT NULL,
    updated_at {{time}} NOT NULL,
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, id) ON DELETE RESTRICT,
    FOREIGN KEY (tenant_id, profile_id) REFERENCES profiles (tenant_id, id) ON DELETE RESTRICT
) {{strict}};
CREATE INDEX retention_rules_subject ON retention_rules (tenant_id, subject, id);
CREATE INDEX retention_rules_site ON retention_rules (tenant_id, site_id);
CREATE INDEX retention_rules_profile ON retention_rules (tenant_id, profile_id);

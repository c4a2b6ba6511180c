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

-- The kind is not known any more; nothing read it.
INSERT INTO device_metrics (tenant_id, device_id, metric, kind, unit, first_seen)
SELECT tenant_id, device_id, metric, 'float', unit, since FROM device_units;

DROP TABLE device_units;

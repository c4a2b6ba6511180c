-- What a device reports is known from its series; only units have to be kept beside them.

-- The units in which devices report: what a reading said of itself, or the device's profile of it. A metric of which
-- nobody said a unit has no row.
CREATE TABLE device_units (
    tenant_id    {{id}} NOT NULL,
    device_id    {{id}} NOT NULL,
    metric       {{text}} NOT NULL,
    unit         {{text}} NOT NULL,
    -- When this unit was first reported.
    since        {{time}} NOT NULL,
    PRIMARY KEY (tenant_id, device_id, metric)
) {{strict}};

INSERT INTO device_units (tenant_id, device_id, metric, unit, since)
SELECT tenant_id, device_id, metric, unit, first_seen FROM device_metrics WHERE unit IS NOT NULL;

DROP TABLE device_metrics;

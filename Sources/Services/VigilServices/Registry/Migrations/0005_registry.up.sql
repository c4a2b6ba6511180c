-- Places and devices.
--
-- Relations inside a tenant carry the tenant in the key, so that a row can never refer to another tenant's row, and the
-- index of every foreign key starts with the tenant. Intervals are in microseconds.
CREATE TABLE sites (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL REFERENCES tenants (id) ON DELETE RESTRICT,
    code        {{text}} NOT NULL,
    name        {{text}} NOT NULL,
    kind        {{text}} NOT NULL,
    address     {{text}},
    time_zone   {{text}} NOT NULL,
    -- GeoJSON: a Point, a Polygon or a MultiPolygon.
    geometry    {{json}},
    -- What a kind of place has beside: names in other languages, population, connections, …
    details     {{json}} NOT NULL,
    is_active   {{bool}} NOT NULL,
    version     {{int}} NOT NULL,
    created_at  {{time}} NOT NULL,
    updated_at  {{time}} NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, code)
) {{strict}};

CREATE TABLE locations (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL REFERENCES tenants (id) ON DELETE RESTRICT,
    site_id     {{id}} NOT NULL,
    -- NULL: directly below the site.
    parent_id   {{id}},
    code        {{text}} NOT NULL,
    name        {{text}} NOT NULL,
    kind        {{text}} NOT NULL,
    -- The order among the children of one parent.
    position    {{int}} NOT NULL,
    geometry    {{json}},
    details     {{json}} NOT NULL,
    is_active   {{bool}} NOT NULL,
    version     {{int}} NOT NULL,
    created_at  {{time}} NOT NULL,
    updated_at  {{time}} NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, code),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, id) ON DELETE RESTRICT,
    FOREIGN KEY (tenant_id, parent_id) REFERENCES locations (tenant_id, id) ON DELETE RESTRICT,
    CHECK (parent_id <> id)
) {{strict}};
CREATE INDEX locations_site ON locations (tenant_id, site_id, position);
CREATE INDEX locations_parent ON locations (tenant_id, parent_id, position);

CREATE TABLE profiles (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL REFERENCES tenants (id) ON DELETE RESTRICT,
    code        {{text}} NOT NULL,
    name        {{text}} NOT NULL,
    description {{text}},
    -- The kind of device that this is for.
    kind        {{text}} NOT NULL,
    handler     {{text}} NOT NULL,
    expected_interval {{int}} NOT NULL CHECK (expected_interval > 0),
    -- Metric → unit.
    units       {{json}} NOT NULL,
    -- Metric → {"min", "max"}.
    ranges      {{json}} NOT NULL,
    -- The rules that a device of this profile starts with.
    rules       {{json}} NOT NULL,
    is_built_in {{bool}} NOT NULL,
    version     {{int}} NOT NULL,
    created_at  {{time}} NOT NULL,
    updated_at  {{time}} NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, code)
) {{strict}};

CREATE TABLE devices (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL REFERENCES tenants (id) ON DELETE RESTRICT,
    -- NULL for a discovered device until it is claimed.
    code        {{text}},
    name        {{text}} NOT NULL,
    kind        {{text}} NOT NULL,
    -- NULL: the profile's.
    handler     {{text}},
    profile_id  {{id}},
    owner_id    {{id}} REFERENCES users (id) ON DELETE SET NULL,
    site_id     {{id}},
    location_id {{id}},
    status      {{text}} NOT NULL CHECK (status IN ('active', 'inactive', 'error', 'maintenance')),
    -- NULL: the profile's.
    expected_interval {{int}} CHECK (expected_interval > 0),
    -- How to reach it, without the secrets, which are in device_secrets.
    connection  {{json}} NOT NULL,
    metadata    {{json}} NOT NULL,
    is_discovered {{bool}} NOT NULL,
    version     {{int}} NOT NULL,
    created_at  {{time}} NOT NULL,
    updated_at  {{time}} NOT NULL,
    deleted_at  {{time}},
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, profile_id) REFERENCES profiles (tenant_id, id) ON DELETE RESTRICT,
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, id) ON DELETE RESTRICT,
    FOREIGN KEY (tenant_id, location_id) REFERENCES locations (tenant_id, id) ON DELETE RESTRICT,
    CHECK (is_discovered OR code IS NOT NULL)
) {{strict}};
-- A deleted device gives its code free.
CREATE UNIQUE INDEX devices_code ON devices (tenant_id, code) WHERE deleted_at IS NULL;
CREATE INDEX devices_profile ON devices (tenant_id, profile_id);
CREATE INDEX devices_site ON devices (tenant_id, site_id);
CREATE INDEX devices_location ON devices (tenant_id, location_id);
CREATE INDEX devices_kind ON devices (tenant_id, kind);
CREATE INDEX devices_status ON devices (tenant_id, status);
CREATE INDEX devices_owner ON devices (owner_id, status);

-- Devices that reported before anybody registered them; the row stays when the device is claimed.
CREATE TABLE discoveries (
    tenant_id   {{id}} NOT NULL,
    device_id   {{id}} NOT NULL,
    -- What it called itself: its readings find it by this.
    reference   {{text}} NOT NULL,
    state       {{text}} NOT NULL CHECK (state IN ('discovered', 'claimed', 'ignored')),
    -- A reading as it first came.
    sample      {{json}} NOT NULL,
    first_seen  {{time}} NOT NULL,
    last_seen   {{time}} NOT NULL,
    sightings   {{int}} NOT NULL,
    PRIMARY KEY (tenant_id, device_id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE
) {{strict}};
-- A claimed device is found by its code and its external ids.
CREATE UNIQUE INDEX discoveries_reference ON discoveries (tenant_id, reference) WHERE state <> 'claimed';
CREATE INDEX discoveries_state ON discoveries (tenant_id, state);

CREATE TABLE device_external_ids (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL,
    device_id   {{id}} NOT NULL,
    -- Who gives these identifiers out: lifebox, seitech, mac, serial, …
    scheme      {{text}} NOT NULL,
    value       {{text}} NOT NULL,
    -- False while the device is deleted: another device may have the identifier.
    is_active   {{bool}} NOT NULL,
    FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE
) {{strict}};
CREATE UNIQUE INDEX device_external_ids_value ON device_external_ids (tenant_id, value, scheme) WHERE is_active;
CREATE INDEX device_external_ids_device ON device_external_ids (tenant_id, device_id);

-- Secrets of the connection settings, sealed under the master key, by their name in the settings.
CREATE TABLE device_secrets (
    tenant_id   {{id}} NOT NULL,
    device_id   {{id}} NOT NULL,
    name        {{text}} NOT NULL,
    sealed      {{bytes}} NOT NULL,
    updated_at  {{time}} NOT NULL,
    PRIMARY KEY (tenant_id, device_id, name),
    FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE
) {{strict}};

CREATE TABLE device_attributes (
    tenant_id   {{id}} NOT NULL,
    device_id   {{id}} NOT NULL,
    -- client: the device writes; server: people write, the device does not see it; shared: people write, the device reads.
    scope       {{text}} NOT NULL CHECK (scope IN ('client', 'server', 'shared')),
    name        {{text}} NOT NULL,
    value       {{json}} NOT NULL,
    updated_at  {{time}} NOT NULL,
    -- Who, as the audit trail names them.
    updated_by  {{text}} NOT NULL,
    PRIMARY KEY (tenant_id, device_id, scope, name),
    FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE
) {{strict}};

-- One row per member of the metadata that changed.
CREATE TABLE device_metadata_history (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL,
    device_id   {{id}} NOT NULL,
    field       {{text}} NOT NULL,
    -- NULL: the member was not there.
    old_value   {{json}},
    new_value   {{json}},
    changed_at  {{time}} NOT NULL,
    changed_by  {{text}} NOT NULL,
    FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE
) {{strict}};
CREATE INDEX device_metadata_history_device ON device_metadata_history (tenant_id, device_id, id);

-- The configurations a device has had: a new version only when the metadata's hash differs, exactly one open.
CREATE TABLE device_snapshots (
    tenant_id   {{id}} NOT NULL,
    device_id   {{id}} NOT NULL,
    version     {{int}} NOT NULL,
    -- SHA-256 over the metadata with members sorted at every depth, in hexadecimal.
    configuration_hash {{text}} NOT NULL,
    metadata    {{json}} NOT NULL,
    valid_from  {{time}} NOT NULL,
    -- NULL: the one in force.
    valid_to    {{time}},
    PRIMARY KEY (tenant_id, device_id, version),
    FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE
) {{strict}};
CREATE UNIQUE INDEX device_snapshots_open ON device_snapshots (tenant_id, device_id) WHERE valid_to IS NULL;
CREATE INDEX device_snapshots_hash ON device_snapshots (tenant_id, configuration_hash);

-- Where a device was: a new position closes the one before, at most one is open.
CREATE TABLE device_positions (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL,
    device_id   {{id}} NOT NULL,
    latitude    {{real}} NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude   {{real}} NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    -- Metres.
    altitude    {{real}},
    accuracy    {{real}} CHECK (accuracy >= 0),
    address     {{text}},
    -- Governorate, city, …
    details     {{json}} NOT NULL,
    valid_from  {{time}} NOT NULL,
    valid_to    {{time}},
    changed_by  {{text}} NOT NULL,
    FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE
) {{strict}};
CREATE UNIQUE INDEX device_positions_open ON device_positions (tenant_id, device_id) WHERE valid_to IS NULL;
CREATE INDEX device_positions_time ON device_positions (tenant_id, device_id, valid_from);

-- The connection state that was last announced, so that each change is announced once.
CREATE TABLE device_connections (
    tenant_id   {{id}} NOT NULL,
    device_id   {{id}} NOT NULL,
    state       {{text}} NOT NULL CHECK (state IN ('online', 'warning', 'offline', 'unknown')),
    since       {{time}} NOT NULL,
    PRIMARY KEY (tenant_id, device_id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE
) {{strict}};

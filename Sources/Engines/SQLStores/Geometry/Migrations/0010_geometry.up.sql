-- Where things are: a projection of the truth, which can be filled anew.
CREATE TABLE geometry_features (
    -- only: sqlite
    number       INTEGER PRIMARY KEY,
    -- end
    -- only: postgresql
    number       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- end
    tenant_id    {{id}} NOT NULL,
    kind         {{text}} NOT NULL,
    key          {{text}} NOT NULL,
    device_id    {{id}},
    location_id  {{id}},
    -- GeoJSON in WGS 84.
    geometry     {{json}} NOT NULL,
    -- The box around it, in degrees.
    west         {{real}} NOT NULL,
    south        {{real}} NOT NULL,
    east         {{real}} NOT NULL,
    north        {{real}} NOT NULL,
    UNIQUE (tenant_id, kind, key)
) {{strict}};
-- only: sqlite
-- Kept in step by the store: triggers may not use virtual tables where the schema is not trusted.
CREATE VIRTUAL TABLE geometry_boxes USING rtree (number, west, east, south, north);
-- end
-- only: postgresql
-- PostgreSQL's own boxes find candidates where PostGIS is absent; where it is there, its index finds the answers.
CREATE INDEX geometry_features_box ON geometry_features USING gist (box(point(west, south), point(east, north)));
-- Behind row security PostgreSQL uses no index for an operator that might tell of other rows by an error, as all of
-- geometry might. These look on behalf of the tables' owner instead, and check the tenant themselves.
CREATE FUNCTION geometry_in_box(low_x FLOAT8, low_y FLOAT8, high_x FLOAT8, high_y FLOAT8) RETURNS SETOF BIGINT
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT number FROM geometry_features
    WHERE box(point(west, south), point(east, north)) && box(point(low_x, low_y), point(high_x, high_y))
        AND tenant_id = CAST(nullif(current_setting('vigil.tenant', true), '') AS uuid)
$$;
DO $do$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'postgis') THEN
        CREATE INDEX geometry_features_shape ON geometry_features USING gist (ST_GeomFromGeoJSON(geometry));
        CREATE INDEX geometry_features_globe ON geometry_features USING gist (geography(ST_GeomFromGeoJSON(geometry)));
        CREATE FUNCTION geometry_touching(shape geometry) RETURNS SETOF BIGINT
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
            SELECT number FROM geometry_features WHERE ST_GeomFromGeoJSON(geometry) && shape
                AND tenant_id = CAST(nullif(current_setting('vigil.tenant', true), '') AS uuid)
        $$;
        CREATE FUNCTION geometry_around(shape geography, metres FLOAT8) RETURNS SETOF BIGINT
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
            SELECT number FROM geometry_features
            WHERE ST_DWithin(geography(ST_GeomFromGeoJSON(geometry)), shape, metres)
                AND tenant_id = CAST(nullif(current_setting('vigil.tenant', true), '') AS uuid)
        $$;
        -- The filters are inside, because what is taken by distance must already be what is asked for.
        CREATE FUNCTION geometry_nearest(
            shape geography, kinds TEXT[], sees_all BOOLEAN, devices UUID[], locations UUID[], most BIGINT
        ) RETURNS SETOF BIGINT
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
            SELECT number FROM geometry_features
            WHERE tenant_id = CAST(nullif(current_setting('vigil.tenant', true), '') AS uuid)
                AND (cardinality(kinds) = 0 OR kind = ANY (kinds))
                AND (sees_all OR device_id = ANY (devices) OR location_id = ANY (locations))
            ORDER BY geography(ST_GeomFromGeoJSON(geometry)) <-> shape LIMIT most
        $$;
    END IF;
END $do$;
-- end

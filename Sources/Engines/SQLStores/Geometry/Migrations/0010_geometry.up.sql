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
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'postgis') THEN
        EXECUTE 'CREATE INDEX geometry_features_shape ON geometry_features USING gist (ST_GeomFromGeoJSON(geometry))';
        EXECUTE 'CREATE INDEX geometry_features_globe ON geometry_features
            USING gist (geography(ST_GeomFromGeoJSON(geometry)))';
    END IF;
END $$;
-- end

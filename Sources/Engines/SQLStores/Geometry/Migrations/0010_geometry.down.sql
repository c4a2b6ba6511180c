-- only: sqlite
DROP TABLE geometry_boxes;
-- end
-- only: postgresql
DROP FUNCTION geometry_in_box(FLOAT8, FLOAT8, FLOAT8, FLOAT8);
DO $do$ BEGIN
    IF to_regproc('geometry_touching') IS NOT NULL THEN
        DROP FUNCTION geometry_touching(geometry);
        DROP FUNCTION geometry_around(geography, FLOAT8);
        DROP FUNCTION geometry_nearest(geography, TEXT[], BOOLEAN, UUID[], UUID[], BIGINT);
    END IF;
END $do$;
-- end
DROP TABLE geometry_features;

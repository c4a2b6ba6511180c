ALTER TABLE unknown_fields DROP COLUMN kinds;

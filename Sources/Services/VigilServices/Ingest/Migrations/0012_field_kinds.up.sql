-- A field that changes its kind keeps both: the catalogue names all that it has had.
ALTER TABLE unknown_fields ADD COLUMN
    -- Every kind that values had; empty for a field that was only seen before this was kept.
    kinds {{json}} NOT NULL DEFAULT '[]';

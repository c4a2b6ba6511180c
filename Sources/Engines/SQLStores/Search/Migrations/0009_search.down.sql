-- only: sqlite
DROP TABLE search_text;
-- end
-- only: postgresql
DROP FUNCTION search_matches(tsquery);
-- end
DROP TABLE search_documents;

-- only: sqlite
DROP TABLE search_text;
-- end
DROP TABLE search_documents;

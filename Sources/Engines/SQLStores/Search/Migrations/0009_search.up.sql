-- What can be found by its words: a projection of the truth, which can be filled anew.
CREATE TABLE search_documents (
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
    language     {{text}} NOT NULL,
    title        {{text}} NOT NULL,
    body         {{text}} NOT NULL,
    tags         {{json}} NOT NULL,
    -- The stems of title and body, and their words as written, folded and parted by spaces.
    title_stems  {{text}} NOT NULL,
    body_stems   {{text}} NOT NULL,
    words        {{text}} NOT NULL,
    -- only: postgresql
    -- A word between title and body keeps a phrase from reaching across.
    terms        TSVECTOR GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', title_stems || ' vigilfieldend'), 'A')
        || setweight(to_tsvector('simple', body_stems), 'B') || setweight(to_tsvector('simple', words), 'D')
    ) STORED,
    -- end
    UNIQUE (tenant_id, kind, key)
) {{strict}};
-- only: postgresql
CREATE INDEX search_documents_terms ON search_documents USING gin (terms);
-- Behind row security PostgreSQL uses no index for an operator that might tell of other rows by an error, as @@ might.
-- This looks on behalf of the tables' owner instead, for whom the policy of the system holds, and checks the same tenant.
CREATE FUNCTION search_matches(question TSQUERY) RETURNS TABLE (number BIGINT, rank DOUBLE PRECISION)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    -- Weights of D, C, B, A: words as written, nothing, body, title. Long documents count for less.
    SELECT d.number, CAST(ts_rank('{0.05, 0.1, 0.2, 1.0}', d.terms, question, 1) AS double precision)
    FROM search_documents AS d
    WHERE d.terms @@ question AND d.tenant_id = CAST(nullif(current_setting('vigil.tenant', true), '') AS uuid)
$$;
-- end
-- only: sqlite
-- Kept in step by the store: triggers may not use virtual tables where the schema is not trusted.
CREATE VIRTUAL TABLE search_text USING fts5 (
    tenant_id, title_stems, body_stems, words, content = 'search_documents', content_rowid = 'number',
    tokenize = "unicode61 remove_diacritics 0", prefix = '2 3'
);
-- end

-- How far each consumer of the outbox is.
CREATE TABLE consumer_cursors (
    consumer {{text}} PRIMARY KEY,
    position {{int}} NOT NULL,
    updated  {{time}} NOT NULL
) {{strict}};

-- Answers that were given to requests with an Idempotency-Key, until they expire. The tenant is the principal's; requests
-- of principals without one are not kept.
CREATE TABLE idempotency_keys (
    tenant_id    {{id}} NOT NULL,
    -- Who, with which method, at which address, under which key: SHA-256 in hexadecimal.
    request_key  {{text}} NOT NULL,
    -- SHA-256 of the query and the body: another body under the same key is refused.
    body_hash    {{text}} NOT NULL,
    -- NULL while the first request still runs.
    status       {{int}},
    content_type {{text}},
    location     {{text}},
    etag         {{text}},
    -- Sealed with the installation's key.
    body         {{bytes}},
    -- Whether the answer held a new secret: then nothing of it is kept.
    is_secret    {{bool}} NOT NULL,
    -- Which of the request's writes was committed last: tells what became of one whose answer was lost.
    witness      {{int}},
    created      {{time}} NOT NULL,
    expires      {{time}} NOT NULL,
    PRIMARY KEY (tenant_id, request_key)
) {{strict}};
CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires);

-- What the program wrote to its log, for people to search. Old rows go by age and by number.
CREATE TABLE application_logs (
    id       {{id}} PRIMARY KEY,
    time     {{time}} NOT NULL,
    -- 0 trace to 6 critical.
    level    {{int}} NOT NULL,
    label    {{text}} NOT NULL,
    message  {{text}} NOT NULL,
    metadata {{json}} NOT NULL
) {{strict}};
CREATE INDEX application_logs_time ON application_logs (time);
CREATE INDEX application_logs_level ON application_logs (level, time);

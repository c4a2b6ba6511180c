-- Background work. A job is the worker's who took it while state is 'running', attempts is the number he got it with,
-- and lease_end is not past.
CREATE TABLE jobs (
    id               {{id}} PRIMARY KEY,
    tenant_id        {{id}},
    kind             {{text}} NOT NULL,
    -- At most one job of a tenant, kind and key waits or runs.
    unique_key       {{text}},
    payload          {{json}} NOT NULL,
    -- Greater is sooner.
    priority         {{int}} NOT NULL,
    -- Not taken before: the wish of who added it, or the back-off after a failure.
    not_before       {{time}} NOT NULL,
    maximum_attempts {{int}} NOT NULL CHECK (maximum_attempts > 0),
    state            {{text}} NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'dead')),
    attempts         {{int}} NOT NULL,
    progress         {{real}} NOT NULL,
    lease_end        {{time}},
    last_error       {{text}},
    result           {{json}},
    created          {{time}} NOT NULL,
    updated          {{time}} NOT NULL
) {{strict}};
CREATE INDEX jobs_tenant ON jobs (tenant_id, state, id);
CREATE INDEX jobs_waiting ON jobs (kind, priority, not_before) WHERE state = 'waiting';
CREATE INDEX jobs_running ON jobs (lease_end) WHERE state = 'running';
CREATE INDEX jobs_ended ON jobs (updated) WHERE state = 'done';
CREATE INDEX jobs_key ON jobs (kind, unique_key) WHERE state IN ('waiting', 'running') AND unique_key IS NOT NULL;

-- Organisations, people, what they may do, and what they sign in with.
--
-- A user is an account of the installation: it may be a member of several tenants, and one tenant, its home, keeps its
-- profile and credentials. Secrets are kept as hashes only.
CREATE TABLE tenants (
    id          {{id}} NOT NULL PRIMARY KEY,
    code        {{text}} NOT NULL UNIQUE,
    name        {{text}} NOT NULL,
    -- A provider may have client tenants.
    kind        {{text}} NOT NULL CHECK (kind IN ('provider', 'client')),
    -- The provider of a client; NULL for a tenant that stands alone.
    parent_id   {{id}} REFERENCES tenants (id) ON DELETE RESTRICT,
    is_active   {{bool}} NOT NULL,
    details     {{json}} NOT NULL,
    version     {{int}} NOT NULL,
    created_at  {{time}} NOT NULL,
    updated_at  {{time}} NOT NULL,
    CHECK (kind = 'client' OR parent_id IS NULL),
    CHECK (parent_id <> id)
) {{strict}};
CREATE INDEX tenants_parent ON tenants (parent_id, code);

CREATE TABLE users (
    id          {{id}} NOT NULL PRIMARY KEY,
    -- The tenant that keeps the account.
    home_tenant_id {{id}} NOT NULL REFERENCES tenants (id) ON DELETE RESTRICT,
    username    {{text}} NOT NULL,
    -- The lower-case name, by which accounts are found; a deleted account has its identifier here, so its name is free.
    username_key {{text}} NOT NULL UNIQUE,
    email       {{text}},
    email_key   {{text}} UNIQUE,
    first_name  {{text}} NOT NULL,
    last_name   {{text}} NOT NULL,
    phone       {{text}},
    department  {{text}},
    locale      {{text}} NOT NULL,
    time_zone   {{text}} NOT NULL,
    preferences {{json}} NOT NULL,
    notifications_enabled {{bool}} NOT NULL,
    -- How this account signs in; another method is refused whatever the caller says.
    auth_method {{text}} NOT NULL CHECK (auth_method IN ('password', 'pin', 'username')),
    -- scrypt, with its parameters and salt.
    password_hash {{text}},
    -- scrypt over an HMAC with a key that is not in the database.
    pin_hash    {{text}},
    must_change_password {{bool}} NOT NULL,
    is_active   {{bool}} NOT NULL,
    last_login_at {{time}},
    version     {{int}} NOT NULL,
    created_at  {{time}} NOT NULL,
    updated_at  {{time}} NOT NULL,
    deleted_at  {{time}}
) {{strict}};
CREATE INDEX users_home ON users (home_tenant_id);

-- Roles that a tenant made for itself; the built-in ones are in the program.
CREATE TABLE roles (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    code        {{text}} NOT NULL,
    name        {{text}} NOT NULL,
    description {{text}} NOT NULL,
    -- A list of resource:action.
    permissions {{json}} NOT NULL,
    version     {{int}} NOT NULL,
    created_at  {{time}} NOT NULL,
    updated_at  {{time}} NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, code)
) {{strict}};

CREATE TABLE memberships (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id     {{id}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- all, or only what is assigned: nothing until something is.
    visibility  {{text}} NOT NULL CHECK (visibility IN ('all', 'assigned')),
    is_active   {{bool}} NOT NULL,
    created_at  {{time}} NOT NULL,
    updated_at  {{time}} NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, user_id)
) {{strict}};
CREATE INDEX memberships_user ON memberships (user_id, tenant_id);

CREATE TABLE membership_roles (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL,
    membership_id {{id}} NOT NULL,
    -- Either the code of a built-in role, or a role of the tenant.
    built_in    {{text}},
    role_id     {{id}},
    granted_by  {{text}} NOT NULL,
    granted_at  {{time}} NOT NULL,
    UNIQUE (tenant_id, membership_id, built_in),
    UNIQUE (tenant_id, membership_id, role_id),
    FOREIGN KEY (tenant_id, membership_id) REFERENCES memberships (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id) ON DELETE RESTRICT,
    CHECK ((built_in IS NULL) <> (role_id IS NULL))
) {{strict}};
CREATE INDEX membership_roles_role ON membership_roles (tenant_id, role_id);

-- What a member with visibility "assigned" sees: a device, a location with all below it, a site with all in it, or, for
-- people of a provider, a client tenant. Devices and places are made by a later migration, so no foreign key holds them:
-- an assignment to what is gone shows nothing.
CREATE TABLE assignments (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL,
    membership_id {{id}} NOT NULL,
    kind        {{text}} NOT NULL CHECK (kind IN ('device', 'location', 'site', 'client')),
    target_id   {{id}} NOT NULL,
    assigned_by {{text}} NOT NULL,
    assigned_at {{time}} NOT NULL,
    UNIQUE (tenant_id, membership_id, kind, target_id),
    FOREIGN KEY (tenant_id, membership_id) REFERENCES memberships (tenant_id, id) ON DELETE CASCADE
) {{strict}};
CREATE INDEX assignments_target ON assignments (tenant_id, kind, target_id);

-- A wall panel or another trusted device, where people sign in with a PIN or by name alone.
CREATE TABLE panels (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name        {{text}} NOT NULL,
    -- NULL until a device has enrolled as this panel.
    secret_hash {{text}} UNIQUE,
    -- The code by which one device enrols, once; NULL when it was used.
    code_hash   {{text}} UNIQUE,
    code_expires_at {{time}},
    allows_pin  {{bool}} NOT NULL,
    allows_username {{bool}} NOT NULL,
    last_used_at {{time}},
    created_by  {{text}} NOT NULL,
    created_at  {{time}} NOT NULL,
    revoked_at  {{time}},
    UNIQUE (tenant_id, id)
) {{strict}};

-- One sign-in. Its tokens change with every refresh; all of them together are the session, and end with it.
CREATE TABLE sessions (
    id          {{id}} NOT NULL PRIMARY KEY,
    user_id     {{id}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The tenant that the person acts in now.
    tenant_id   {{id}} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    panel_id    {{id}} REFERENCES panels (id) ON DELETE CASCADE,
    -- browser: a cookie that lives on while it is used; api: an access token and a refresh token.
    kind        {{text}} NOT NULL CHECK (kind IN ('browser', 'api')),
    access_hash {{text}} NOT NULL UNIQUE,
    access_expires_at {{time}} NOT NULL,
    refresh_hash {{text}} UNIQUE,
    -- Nothing prolongs a session beyond this.
    expires_at  {{time}} NOT NULL,
    address     {{text}} NOT NULL,
    user_agent  {{text}} NOT NULL,
    created_at  {{time}} NOT NULL,
    last_used_at {{time}} NOT NULL,
    revoked_at  {{time}},
    revoked_reason {{text}}
) {{strict}};
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_tenant ON sessions (tenant_id, id);
CREATE INDEX sessions_panel ON sessions (panel_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Refresh tokens that were used: who shows one again has stolen it, or was stolen from.
CREATE TABLE spent_refresh_tokens (
    token_hash  {{text}} NOT NULL PRIMARY KEY,
    session_id  {{id}} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    spent_at    {{time}} NOT NULL
) {{strict}};
CREATE INDEX spent_refresh_tokens_session ON spent_refresh_tokens (session_id);

-- API tokens of people, and credentials of devices.
CREATE TABLE tokens (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- Whose rights an API token has at most; NULL for a device's credential.
    user_id     {{id}} REFERENCES users (id) ON DELETE CASCADE,
    -- Whose credential it is; no foreign key, because devices come with a later migration.
    device_id   {{id}},
    -- The token with which it was made: it is revoked with that one.
    maker_id    {{id}},
    name        {{text}} NOT NULL,
    token_hash  {{text}} NOT NULL UNIQUE,
    -- The first characters, to tell tokens apart.
    hint        {{text}} NOT NULL,
    -- A list of resource:action; what the token may do is what its user may do, and these allow.
    permissions {{json}} NOT NULL,
    -- Whether only the devices in token_devices are seen.
    is_limited_to_devices {{bool}} NOT NULL,
    expires_at  {{time}},
    last_used_at {{time}},
    last_address {{text}},
    created_by  {{text}} NOT NULL,
    created_at  {{time}} NOT NULL,
    revoked_at  {{time}},
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, maker_id) REFERENCES tokens (tenant_id, id) ON DELETE CASCADE,
    CHECK ((user_id IS NULL) <> (device_id IS NULL))
) {{strict}};
CREATE INDEX tokens_user ON tokens (user_id, id);
CREATE INDEX tokens_device ON tokens (tenant_id, device_id);
CREATE INDEX tokens_maker ON tokens (tenant_id, maker_id);

CREATE TABLE token_devices (
    tenant_id   {{id}} NOT NULL,
    token_id    {{id}} NOT NULL,
    device_id   {{id}} NOT NULL,
    PRIMARY KEY (tenant_id, token_id, device_id),
    FOREIGN KEY (tenant_id, token_id) REFERENCES tokens (tenant_id, id) ON DELETE CASCADE
) {{strict}};

CREATE TABLE password_resets (
    token_hash  {{text}} NOT NULL PRIMARY KEY,
    user_id     {{id}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at  {{time}} NOT NULL,
    used_at     {{time}},
    created_at  {{time}} NOT NULL
) {{strict}};
CREATE INDEX password_resets_user ON password_resets (user_id);

-- Somebody is asked to join a tenant, by a link that works once.
CREATE TABLE invitations (
    id          {{id}} NOT NULL PRIMARY KEY,
    tenant_id   {{id}} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- Where the link goes; NULL when it is handed over in another way.
    email       {{text}},
    token_hash  {{text}} NOT NULL UNIQUE,
    -- A list of role codes.
    roles       {{json}} NOT NULL,
    visibility  {{text}} NOT NULL CHECK (visibility IN ('all', 'assigned')),
    -- Whose rights bound the roles, also at the moment of acceptance; NULL: made on this machine.
    invited_by  {{id}} REFERENCES users (id) ON DELETE CASCADE,
    expires_at  {{time}} NOT NULL,
    accepted_at {{time}},
    created_at  {{time}} NOT NULL
) {{strict}};
CREATE INDEX invitations_tenant ON invitations (tenant_id, id);
CREATE INDEX invitations_inviter ON invitations (invited_by);

-- Failed sign-ins, per account and address; '*' stands for all accounts, or all addresses. It survives a restart, so a
-- restart gives nobody fresh attempts. Accounts are hashes of what was typed: people type passwords into name fields.
CREATE TABLE sign_in_failures (
    account_key {{text}} NOT NULL,
    address     {{text}} NOT NULL,
    failures    {{int}} NOT NULL,
    blocked_until {{time}} NOT NULL,
    last_failure_at {{time}} NOT NULL,
    PRIMARY KEY (account_key, address)
) {{strict}};
CREATE INDEX sign_in_failures_time ON sign_in_failures (last_failure_at);

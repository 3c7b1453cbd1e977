-- Realms, clients, users, sign-ins, token families, runs, keys, flows, audit.
-- Partitions are made by store/partitions.ts: a table partitioned by `id` is keyed by the instant in the id's first 48 bits.

-- The one clock of every window that guards state. Tests replace it to shift time.
CREATE FUNCTION limen_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT statement_timestamp()';

-- The instant that the id of a timed row carries (core/ids.ts).
CREATE FUNCTION limen_instant_of(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT to_timestamp(('x' || lpad(substr(replace(id::text, '-', ''), 1, 12), 16, '0'))::bit(64)::bigint / 1000.0) $$;

-- Raised by every configuration write in its own transaction; each process reads it every second.
CREATE TABLE config_version (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  version  bigint NOT NULL
);
INSERT INTO config_version (version) VALUES (1);

CREATE TABLE processes (
  id         uuid PRIMARY KEY,
  key_ids    text[] NOT NULL,
  started_at timestamptz NOT NULL,
  seen_at    timestamptz NOT NULL
);

CREATE TABLE realms (
  id             uuid PRIMARY KEY,
  slug           text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  name           text NOT NULL,
  is_default     boolean NOT NULL DEFAULT false,
  settings       jsonb NOT NULL DEFAULT '{}',
  -- What must outlive a rotation of the key ring (pairwise salt, lockout key), sealed as one document.
  secrets_sealed text NOT NULL,
  enabled        boolean NOT NULL DEFAULT true,
  valid_from     timestamptz NOT NULL DEFAULT 'epoch',
  created_at     timestamptz NOT NULL DEFAULT limen_now()
);
CREATE UNIQUE INDEX realms_one_default ON realms (is_default) WHERE is_default;

CREATE TABLE clients (
  realm_id                     uuid NOT NULL REFERENCES realms (id),
  client_id                    text NOT NULL,
  class                        text NOT NULL CHECK (class IN ('public', 'confidential')),
  name                         text NOT NULL,
  token_endpoint_auth_method   text NOT NULL,
  -- [{ "hash": hex SHA-256, "created_at": ms, "expires_at": ms | null }]; two may be valid while rotating.
  secrets                      jsonb NOT NULL DEFAULT '[]',
  jwks                         jsonb,
  redirect_uris                text[] NOT NULL DEFAULT '{}',
  post_logout_redirect_uris    text[] NOT NULL DEFAULT '{}',
  grant_types                  text[] NOT NULL,
  response_types               text[] NOT NULL,
  scope                        text[] NOT NULL,
  -- Resource indicators whose tokens this client may ask for; the first is the default audience.
  resources                    text[] NOT NULL DEFAULT '{}',
  -- Audiences beside its own client_id whose tokens it may introspect.
  introspects                  text[] NOT NULL DEFAULT '{}',
  id_token_signed_response_alg text,
  default_max_age              integer,
  require_auth_time            boolean NOT NULL DEFAULT false,
  consent                      text NOT NULL DEFAULT 'remembered' CHECK (consent IN ('remembered', 'always', 'never')),
  -- Policy overrides: { key: { value, reason, expires_at } }.
  settings                     jsonb NOT NULL DEFAULT '{}',
  -- client_uri, logo_uri, policy_uri, tos_uri, contacts.
  metadata                     jsonb NOT NULL DEFAULT '{}',
  enabled                      boolean NOT NULL DEFAULT true,
  valid_from                   timestamptz NOT NULL DEFAULT 'epoch',
  created_at                   timestamptz NOT NULL DEFAULT limen_now(),
  PRIMARY KEY (realm_id, client_id),
  CHECK ((class = 'public') = (token_endpoint_auth_method = 'none'))
);

CREATE TABLE users (
  id            uuid PRIMARY KEY,
  realm_id      uuid NOT NULL REFERENCES realms (id),
  username      text NOT NULL,
  -- Case-folded: what a person may type to be found.
  username_key  text NOT NULL,
  email_key     text,
  password_hash text,
  -- Standard claims by wire name (OIDC Core §5.1).
  claims        jsonb NOT NULL DEFAULT '{}',
  enabled       boolean NOT NULL DEFAULT true,
  -- Families, codes, sessions and evidence from before this instant are dead.
  valid_from    timestamptz NOT NULL DEFAULT 'epoch',
  created_at    timestamptz NOT NULL DEFAULT limen_now(),
  updated_at    timestamptz NOT NULL DEFAULT limen_now(),
  UNIQUE (realm_id, username_key)
);
CREATE UNIQUE INDEX users_by_email ON users (realm_id, email_key) WHERE email_key IS NOT NULL;

CREATE TABLE sso_sessions (
  id               uuid PRIMARY KEY,
  realm_id         uuid NOT NULL,
  user_id          uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- SHA-256 of the cookie.
  secret_hash      bytea NOT NULL UNIQUE,
  -- [{ "method": "pwd", "at": ms }]
  evidence         jsonb NOT NULL,
  created_at       timestamptz NOT NULL,
  seen_at          timestamptz NOT NULL,
  expires_at       timestamptz NOT NULL,
  ended_at         timestamptz,
  address          text,
  agent            text
) WITH (fillfactor = 80);
CREATE INDEX sso_sessions_by_user ON sso_sessions (user_id);
CREATE INDEX sso_sessions_by_expiry ON sso_sessions (expires_at);

CREATE TABLE consents (
  realm_id   uuid NOT NULL,
  user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  client_id  text NOT NULL,
  scope      text[] NOT NULL,
  granted_at timestamptz NOT NULL,
  PRIMARY KEY (realm_id, user_id, client_id)
);

-- One grant of one client. The id's instant is the absolute expiry. A row is marked, never deleted before it.
CREATE TABLE token_families (
  id             uuid PRIMARY KEY,
  realm_id       uuid NOT NULL,
  client_id      text NOT NULL,
  user_id        uuid,
  session_id     uuid,
  -- true: lives on when the SSO session ends (offline_access).
  offline        boolean NOT NULL DEFAULT false,
  generation     integer NOT NULL DEFAULT 0,
  -- SHA-256 of the current refresh secret; null: the grant has no refresh token.
  secret_hash    bytea,
  sender_key     text,
  scope          text NOT NULL,
  audience       text[] NOT NULL,
  auth_time      bigint,
  acr            text,
  amr            text[],
  -- The `claims` parameter's members for userinfo and ID token.
  claims         jsonb,
  created_at     timestamptz NOT NULL,
  rotated_at     timestamptz NOT NULL,
  revoked_at     timestamptz,
  revoked_reason text,
  -- Who presented last.
  address        text,
  agent          text
) PARTITION BY RANGE (id);
CREATE INDEX token_families_by_user ON token_families (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX token_families_by_session ON token_families (session_id) WHERE session_id IS NOT NULL;

-- Stored runs. The id's instant is the expiry.
CREATE TABLE auth_sessions (
  id              uuid PRIMARY KEY,
  realm_id        uuid NOT NULL,
  flow_version_id uuid NOT NULL,
  node            text NOT NULL,
  step            integer NOT NULL,
  status          text NOT NULL CHECK (status IN ('active', 'waiting', 'completed', 'failed', 'expired')),
  failure         text,
  user_id         uuid,
  evidence        jsonb NOT NULL,
  execution_state jsonb NOT NULL,
  last_ui_output  jsonb,
  demand          jsonb NOT NULL,
  -- The request that the run answers, as endpoints/interaction.ts wrote it.
  request         jsonb NOT NULL,
  -- SHA-256 of the browser's binding cookie; null until a browser opens a run that was too large for its handle.
  binding_hash    bytea,
  trace           jsonb NOT NULL,
  -- Fixed once at completion: session, family and code expiry, so that a repeat gets the same redirect.
  result          jsonb,
  started_at      timestamptz NOT NULL,
  completed_at    timestamptz
) PARTITION BY RANGE (id);

CREATE TABLE signing_keys (
  id             uuid PRIMARY KEY,
  realm_id       uuid NOT NULL REFERENCES realms (id),
  algorithm      text NOT NULL,
  state          text NOT NULL CHECK (state IN ('next', 'active', 'retired', 'revoked')),
  -- Public JWK with kid, alg and use.
  public_jwk     jsonb NOT NULL,
  -- Private JWK, sealed; null once retired.
  private_sealed text,
  published_at   timestamptz NOT NULL,
  activated_at   timestamptz,
  retired_at     timestamptz
);
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (realm_id, algorithm) WHERE state = 'active';
CREATE UNIQUE INDEX signing_keys_one_next ON signing_keys (realm_id, algorithm) WHERE state = 'next';

CREATE TABLE flow_versions (
  id           uuid PRIMARY KEY,
  realm_id     uuid NOT NULL REFERENCES realms (id),
  flow         text NOT NULL,
  version      integer NOT NULL,
  definition   jsonb NOT NULL,
  published_at timestamptz NOT NULL DEFAULT limen_now(),
  recalled_at  timestamptz,
  UNIQUE (realm_id, flow, version)
);

CREATE TABLE flow_deployments (
  realm_id   uuid NOT NULL REFERENCES realms (id),
  purpose    text NOT NULL,
  version_id uuid NOT NULL REFERENCES flow_versions (id),
  PRIMARY KEY (realm_id, purpose)
);

-- The id's instant is when it happened.
CREATE TABLE audit_events (
  id         uuid PRIMARY KEY,
  xid        xid8 NOT NULL DEFAULT pg_current_xact_id(),
  realm_id   uuid NOT NULL,
  event      text NOT NULL,
  user_id    uuid,
  client_id  text,
  session_id uuid,
  family_id  uuid,
  address    text,
  agent      text,
  detail     jsonb NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (id);
CREATE INDEX audit_events_by_realm ON audit_events (realm_id, id);

-- Single use of client assertions (RFC 7523 §3) and proofs: the key is a hash of kind, key and jti; `at` is the proof's own time.
CREATE TABLE seen_proofs (
  key bytea NOT NULL,
  at  timestamptz NOT NULL,
  PRIMARY KEY (key, at)
) PARTITION BY RANGE (at);

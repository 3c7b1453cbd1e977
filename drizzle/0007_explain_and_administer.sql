-- What error ids stand for, so that an operator can resolve one. Written behind the requests, and dropped by the day.

CREATE TABLE refusals (
  -- Its first 48 bits are the instant.
  id          uuid PRIMARY KEY,
  error_id    text NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('refusal', 'fault')),
  -- null: the path named no realm.
  realm_id    uuid,
  endpoint    text NOT NULL,
  client_id   text,
  error       text NOT NULL,
  rule        text,
  parameter   text,
  description text
) PARTITION BY RANGE (id);
CREATE INDEX refusals_by_error_id ON refusals (error_id);

-- Who may do what by the admin API: a user of the default realm, or one of its clients by its own token.
CREATE TABLE admin_permissions (
  id         uuid PRIMARY KEY,
  user_id    uuid REFERENCES users (id) ON DELETE CASCADE,
  client_id  text,
  -- null: every realm.
  realm_id   uuid REFERENCES realms (id) ON DELETE CASCADE,
  action     text NOT NULL,
  granted_at timestamptz NOT NULL DEFAULT limen_now(),
  CHECK ((user_id IS NULL) <> (client_id IS NULL)),
  CONSTRAINT admin_permissions_once UNIQUE NULLS NOT DISTINCT (user_id, client_id, realm_id, action)
);
CREATE INDEX admin_permissions_by_client ON admin_permissions (client_id) WHERE client_id IS NOT NULL;

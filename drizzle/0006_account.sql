-- The account page, and the devices that a person's sign-ins are known from.

ALTER TABLE users
  -- What was proved by a password before this instant makes no device known any more.
  ADD COLUMN password_set_at timestamptz NOT NULL DEFAULT 'epoch';

-- A browser in which somebody gave their password and completed the sign-in. It makes a context of its own in `lockouts`
-- ('device:' and the id); it signs nobody in.
CREATE TABLE known_devices (
  id         uuid PRIMARY KEY,
  realm_id   uuid NOT NULL,
  user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- SHA-256 of the token in the browser's cookie.
  token_hash bytea NOT NULL UNIQUE,
  created_at timestamptz NOT NULL,
  -- When the password was last given there.
  proved_at  timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  address    text,
  agent      text
) WITH (fillfactor = 80);
CREATE INDEX known_devices_by_user ON known_devices (user_id);
CREATE INDEX known_devices_by_expiry ON known_devices (expires_at);

-- What a person sees of their own history, newest first.
CREATE INDEX audit_events_by_user ON audit_events (realm_id, user_id, id) WHERE user_id IS NOT NULL;

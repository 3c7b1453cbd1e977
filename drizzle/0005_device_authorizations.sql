-- Devices that wait for a person's word (RFC 8628).

CREATE TABLE device_authorizations (
  -- The id of the token family that redeeming creates: its INSERT is the single-use gate, as for authorization codes.
  id               uuid PRIMARY KEY,
  realm_id         uuid NOT NULL REFERENCES realms (id),
  client_id        text NOT NULL,
  -- SHA-256 of the device code.
  code_hash        bytea NOT NULL,
  -- Without separators. Short, so unique among those that are kept, and never enough by itself.
  user_code        text NOT NULL,
  scope            text NOT NULL,
  audience         text[] NOT NULL,
  status           text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'denied')),
  -- Where the device asked from, for the person who is to recognise it.
  address          text,
  agent            text,
  created_at       timestamptz NOT NULL DEFAULT limen_now(),
  expires_at       timestamptz NOT NULL,
  -- RFC 8628 §3.5: grows with every poll that comes too soon.
  interval_seconds integer NOT NULL,
  polled_at        timestamptz,
  -- Whether the last poll came too soon, since an UPDATE returns nothing of what it overwrites.
  hurried          boolean NOT NULL DEFAULT false,
  -- Who decided, and how they were signed in.
  decided_at       timestamptz,
  user_id          uuid,
  session_id       uuid,
  auth_time        bigint,
  acr              text,
  amr              text[],
  CHECK ((status = 'pending') = (decided_at IS NULL)),
  UNIQUE (realm_id, user_code)
) WITH (fillfactor = 70);
CREATE INDEX device_authorizations_by_expiry ON device_authorizations (expires_at);

-- Clients that registered themselves (RFC 7591, RFC 7592), and what lets them.

ALTER TABLE clients
  -- SHA-256 of the registration access token; null: the client was made by an operator.
  ADD COLUMN registration_token_hash bytea,
  -- Set where anyone may register: nobody has allowed the client anything yet, and it goes when that stays so.
  ADD COLUMN unused_since timestamptz;
CREATE INDEX clients_unused ON clients (realm_id, unused_since) WHERE unused_since IS NOT NULL;

-- Initial access tokens (RFC 7591 §1.2).
CREATE TABLE registration_tokens (
  id         uuid PRIMARY KEY,
  realm_id   uuid NOT NULL REFERENCES realms (id),
  -- SHA-256.
  token_hash bytea NOT NULL UNIQUE,
  note       text NOT NULL DEFAULT '',
  -- null: any number of clients.
  uses_left  integer CHECK (uses_left >= 0),
  expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT limen_now()
);
CREATE INDEX registration_tokens_by_realm ON registration_tokens (realm_id, created_at);

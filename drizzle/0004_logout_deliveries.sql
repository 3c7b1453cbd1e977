-- Back-channel logout (OpenID Connect Back-Channel Logout 1.0): what is to be told to whom, queued by the change itself.
--
-- Triggers, because a sign-in ends in many places (sign-out, another person in the same browser, sign out everywhere, an
-- operator, a deleted user) and a place that forgot to queue would leave people signed in at applications. The rows are
-- part of the transaction that ends the sign-in; who reads sso_sessions by its liveness alone needs none of this.

-- Clients that got an ID token straight from the authorization endpoint, without a token family that would tell of them.
CREATE TABLE session_clients (
  session_id uuid NOT NULL REFERENCES sso_sessions (id) ON DELETE CASCADE,
  client_id  text NOT NULL,
  PRIMARY KEY (session_id, client_id)
);

CREATE TABLE logout_deliveries (
  id         uuid PRIMARY KEY,
  realm_id   uuid NOT NULL,
  -- No foreign keys: a delivery outlives the session and the user whose end it tells.
  session_id uuid NOT NULL,
  user_id    uuid NOT NULL,
  client_id  text NOT NULL,
  queued_at  timestamptz NOT NULL DEFAULT limen_now(),
  -- When it is tried next; while one tries, when another may.
  due_at     timestamptz NOT NULL DEFAULT limen_now(),
  attempts   integer NOT NULL DEFAULT 0,
  -- Why the last attempt failed.
  fault      text,
  settled_at timestamptz,
  outcome    text CHECK (outcome IN ('delivered', 'given_up')),
  CHECK ((settled_at IS NULL) = (outcome IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX logout_deliveries_due ON logout_deliveries (due_at) WHERE settled_at IS NULL;
CREATE INDEX logout_deliveries_settled ON logout_deliveries (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX logout_deliveries_by_session ON logout_deliveries (session_id);
-- One of a kind waits at a time; a later end of the same session (a user who was disabled, enabled and came back) is news.
CREATE UNIQUE INDEX logout_deliveries_waiting ON logout_deliveries (session_id, client_id) WHERE settled_at IS NULL;

CREATE INDEX sso_sessions_by_end ON sso_sessions (ended_at) WHERE ended_at IS NOT NULL;

-- Every client that a sign-in was passed on to.
CREATE FUNCTION limen_clients_of_session(of_realm uuid, of_session uuid) RETURNS SETOF text
  LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT f.client_id FROM token_families f WHERE f.session_id = of_session AND f.realm_id = of_realm
     UNION
     SELECT c.client_id FROM session_clients c WHERE c.session_id = of_session $$;

-- Queues what the end of a session is to tell, unless it was told since `since`; gives how many rows it queued.
CREATE FUNCTION limen_queue_logouts(of_realm uuid, of_session uuid, of_user uuid, since timestamptz) RETURNS bigint
  LANGUAGE sql VOLATILE AS
  $$ WITH queued AS (
       INSERT INTO logout_deliveries (id, realm_id, session_id, user_id, client_id)
       SELECT gen_random_uuid(), of_realm, of_session, of_user, c.client_id
       FROM limen_clients_of_session(of_realm, of_session) AS held (client_id)
       JOIN clients c ON c.realm_id = of_realm AND c.client_id = held.client_id
       WHERE c.enabled AND c.metadata ? 'backchannel_logout_uri'
         AND NOT EXISTS (SELECT FROM logout_deliveries d WHERE d.session_id = of_session AND d.client_id = held.client_id
                         AND d.queued_at >= since)
       ON CONFLICT (session_id, client_id) WHERE settled_at IS NULL DO NOTHING
       RETURNING id)
     SELECT count(*) FROM queued $$;

CREATE FUNCTION limen_session_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM limen_queue_logouts(OLD.realm_id, OLD.id, OLD.user_id, limen_now());
    RETURN OLD;
  END IF;
  PERFORM limen_queue_logouts(NEW.realm_id, NEW.id, NEW.user_id, NEW.ended_at);
  RETURN NULL;
END $$;

CREATE TRIGGER sso_sessions_ended AFTER UPDATE OF ended_at ON sso_sessions
  FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION limen_session_ended();
-- Before, because session_clients goes with the row. A session past its end is merely tidied away.
CREATE TRIGGER sso_sessions_deleted BEFORE DELETE ON sso_sessions
  FOR EACH ROW WHEN (OLD.ended_at IS NULL AND OLD.expires_at > limen_now()) EXECUTE FUNCTION limen_session_ended();

-- What `valid_from` kills is dead for ever, so its sessions end; a disabled user's come back when the user does, so the
-- clients are told and the sessions stay.
CREATE FUNCTION limen_user_cut_off() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sso_sessions SET ended_at = limen_now()
  WHERE user_id = NEW.id AND realm_id = NEW.realm_id AND ended_at IS NULL AND created_at < NEW.valid_from;
  IF OLD.enabled AND NOT NEW.enabled THEN
    PERFORM limen_queue_logouts(realm_id, id, user_id, limen_now()) FROM sso_sessions
    WHERE user_id = NEW.id AND realm_id = NEW.realm_id AND ended_at IS NULL AND expires_at > limen_now();
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER users_cut_off AFTER UPDATE OF valid_from, enabled ON users
  FOR EACH ROW WHEN (NEW.valid_from > OLD.valid_from OR (OLD.enabled AND NOT NEW.enabled))
  EXECUTE FUNCTION limen_user_cut_off();

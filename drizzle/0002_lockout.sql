-- Counters of wrong passwords. store/lockout.ts says why they have this shape.

-- The instants that are later than `after`, oldest first.
CREATE FUNCTION limen_later_than(instants timestamptz[], after timestamptz) RETURNS timestamptz[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT coalesce(array_agg(instant ORDER BY instant), '{}') FROM unnest(instants) AS instant WHERE instant > after $$;

-- The attempts that are not void yet: { attempt id: the instant when it becomes void }.
CREATE FUNCTION limen_live_attempts(attempts jsonb, at timestamptz) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each_text(attempts) WHERE value::timestamptz > at $$;

CREATE FUNCTION limen_count_attempts(attempts jsonb) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT count(*)::integer FROM jsonb_object_keys(attempts) $$;

-- The end of the running window of this width.
CREATE FUNCTION limen_window_end(window_seconds integer) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT date_bin(make_interval(secs => window_seconds), limen_now(), 'epoch') + make_interval(secs => window_seconds) $$;

CREATE FUNCTION limen_milliseconds_until(instant timestamptz) RETURNS double precision
  LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT ceil(extract(epoch FROM instant - limen_now()) * 1000)::double precision $$;

CREATE TABLE lockouts (
  realm_id     uuid NOT NULL,
  -- 'user:' and the user's id, or 'name:' and an HMAC of the case-folded name that nobody has.
  subject      text NOT NULL,
  -- Where the attempts come from: 'address:' and a prefix, 'device:' and a known device's hash, or 'account'.
  context      text NOT NULL,
  failures     timestamptz[] NOT NULL DEFAULT '{}',
  in_flight    jsonb NOT NULL DEFAULT '{}',
  locked_until timestamptz,
  -- On the hour, so that an update seldom changes an indexed column.
  expires_at   timestamptz NOT NULL,
  PRIMARY KEY (realm_id, subject, context)
) WITH (fillfactor = 70);
CREATE INDEX lockouts_by_expiry ON lockouts (expires_at);

-- Failures per address prefix across accounts and per account across contexts, in fixed windows.
CREATE TABLE lockout_ceilings (
  realm_id uuid NOT NULL,
  -- 'address:' and a prefix, or the subject of `lockouts`.
  key      text NOT NULL,
  -- The end of the window that the failures fell into.
  ends_at  timestamptz NOT NULL,
  failures integer NOT NULL,
  PRIMARY KEY (realm_id, key, ends_at)
) WITH (fillfactor = 70);
CREATE INDEX lockout_ceilings_by_end ON lockout_ceilings (ends_at);

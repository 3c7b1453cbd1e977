-- The chain over the audit log: each checkpoint covers the events of a range of transactions and the checkpoint before it.
-- Events are written without it, so that no request waits for the head of a chain; store/audit_chain.ts says how.

CREATE INDEX audit_events_by_xid ON audit_events (xid);

CREATE TABLE audit_checkpoints (
  seq            bigint PRIMARY KEY,
  -- Transactions from the first, which is in it, to the second, which is not.
  from_xid       xid8 NOT NULL,
  upto_xid       xid8 NOT NULL,
  events         bigint NOT NULL CHECK (events > 0),
  first_event_at timestamptz NOT NULL,
  last_event_at  timestamptz NOT NULL,
  previous_hash  bytea NOT NULL,
  hash           bytea NOT NULL,
  -- Which entry of the key ring the tag was made with.
  key_id         text NOT NULL,
  tag            bytea NOT NULL,
  -- By the clock of the process that made it, and part of the tag.
  made_at        timestamptz NOT NULL,
  CHECK (from_xid < upto_xid)
);
CREATE INDEX audit_checkpoints_by_last_event ON audit_checkpoints (last_event_at);

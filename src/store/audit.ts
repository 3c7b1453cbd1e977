import { pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { type ClientId, type FamilyId, newTimedId, type RealmId, type SessionId, type UserId } from '../core/ids.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { Json } from '../flow/run.ts';
import { json } from './columns.ts';
import type { Database, Executor } from './database.ts';
import { guarded } from './fault.ts';

/** Partitioned by the instant in the id. `xid`, which the chaining worker goes by, is the database's default. */
export const auditEventsTable = pgTable('audit_events', {
  id: uuid('id').primaryKey(),
  realmId: uuid('realm_id').notNull(),
  event: text('event').$type<AuditEventName>().notNull(),
  userId: uuid('user_id'),
  clientId: text('client_id'),
  sessionId: uuid('session_id'),
  familyId: uuid('family_id'),
  address: text('address'),
  agent: text('agent'),
  detail: json<AuditDetail>('detail').notNull().default({}),
});

/** Every event there is, and what it tells an operator. */
export const auditEvents = {
  'password.accepted': 'A right password was given.',
  'password.refused': 'A wrong password, or one for a name that nobody has, was given.',
  'lockout.started': 'Wrong passwords reached the threshold; further ones are not looked at for a while.',
  'lockout.cleared': 'A lock and its count were lifted before their time.',
  'session.started': 'A browser signed in; `device` says whether it was known to the user before.',
  'session.ended': 'A browser signed out, or its session was ended.',
  'logout.delivered': 'A client was told that a sign-in ended, and understood (back-channel logout).',
  'logout.given_up': 'A client could not be told that a sign-in ended; it is not tried any more.',
  'user.signed_out_everywhere': 'Everything issued to the user before is dead.',
  'device.forgotten': 'A browser is no longer known to a user.',
  'consent.granted': 'The user allowed a client to receive something.',
  'consent.refused': 'The user refused a client.',
  'consent.revoked': 'The user or an operator took a consent back.',
  'device.approved': 'A person let a device have what it asked for (RFC 8628).',
  'device.denied': 'A person refused a device.',
  'code.replayed': 'An authorization code was presented again; its family is revoked (RFC 6749 §4.1.2).',
  'token.reuse': 'An old refresh token was presented; its family is revoked (RFC 9700 §4.14.2).',
  'token.retried': 'The parent of a refresh token was presented again, from elsewhere than its heir went to.',
  'token.mismatch': 'A refresh token with a valid tag fits nothing that is stored; nothing changed.',
  'token.recovered': 'A client went on from a refresh that the database had lost.',
  'token.revoked': 'A family was revoked by its client or an operator.',
  'realm.created': 'A realm was made.',
  'realm.updated': 'A realm was changed.',
  'client.created': 'A client was made.',
  'client.updated': 'A client was changed.',
  'client.registered': 'A client registered itself (RFC 7591).',
  'client.reregistered': 'A client replaced its own registration (RFC 7592 §2.2).',
  'client.deregistered': 'A client deleted its own registration; everything issued to it is dead (RFC 7592 §2.3).',
  'client.secret_rotated': 'A client got a new secret.',
  'user.created': 'A user was made.',
  'user.updated': 'A user was changed.',
  'user.password_set': 'A user has a new password.',
  'key.rotated': 'The next signing key became the active one.',
  'key.revoked': 'A signing key was removed at once.',
  'flow.published': 'A version of a flow was published.',
  'flow.deployed': 'A purpose was pointed at a version of a flow.',
  'flow.recalled': 'A version of a flow was recalled.',
} as const satisfies { readonly [name: string]: string };

export type AuditEventName = keyof typeof auditEvents;
export const isAuditEventName = (text: string): text is AuditEventName => Object.hasOwn(auditEvents, text);

export type AuditDetail = { readonly [name: string]: Json };

/** What happened, to whom, from where. Secrets and what was typed into a password field never go in. */
export type AuditEvent = {
  readonly event: AuditEventName;
  /** When it happened; without it, now. */
  readonly at?: Instant;
  readonly realmId: RealmId;
  readonly userId?: UserId | null;
  readonly clientId?: ClientId | null;
  readonly sessionId?: SessionId | null;
  readonly familyId?: FamilyId | null;
  readonly address?: string | null;
  readonly agent?: string | null;
  readonly detail?: AuditDetail;
};

/** `executor`: the transaction of the change that the event tells of; without one it is written alone. */
export type Audit = { readonly record: (event: AuditEvent, executor?: Executor) => Promise<void> };

export const createAudit = (database: Database, clock: Clock): Audit =>
  guarded({
    /** One round trip. No chain head is locked here: a worker chains committed rows by their `xid` later. */
    async record(event: AuditEvent, executor: Executor = database.db): Promise<void> {
      await executor
        .insert(auditEventsTable)
        .values({
          id: newTimedId(event.at ?? clock()),
          realmId: event.realmId,
          event: event.event,
          userId: event.userId ?? null,
          clientId: event.clientId ?? null,
          sessionId: event.sessionId ?? null,
          familyId: event.familyId ?? null,
          address: event.address ?? null,
          agent: event.agent ?? null,
          detail: event.detail ?? {},
        })
        .prepare('audit_record')
        .execute();
    },
  });

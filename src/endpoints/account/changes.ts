import type { FoundSession } from '../interaction/ports.ts';
import type { Account, Owner, Presenter } from './ports.ts';

type Asked = {
  readonly owner: Owner;
  readonly session: FoundSession;
  /** What the change is about, as it was sent; '' where nothing was. */
  readonly id: string;
};

type MakeChange = (account: Account, asked: Asked, by: Presenter) => Promise<boolean>;

/** Every change that a person can make here; false: there was nothing of theirs to change. */
export const changes = {
  end_session: (account, { owner, id }, by) => account.endSession(owner, id, by),
  end_other_sessions: (account, { owner, session }, by) => account.endOtherSessions(owner, session.id, by),
  end_everything: (account, { owner }, by) => account.endEverything(owner, by),
  revoke_access: (account, { owner, id }, by) => account.revokeAccess(owner, id, by),
  forget_device: (account, { owner, id }, by) => account.forgetDevice(owner, id, by),
} as const satisfies { readonly [name: string]: MakeChange };

export type Change = keyof typeof changes;

export const isChange = (text: string): text is Change => Object.hasOwn(changes, text);

import type { Screen, ScreenName } from '../../flow/screen.ts';
import type { FormTarget, Frame } from '../layout.ts';

export type ScreenOf<Name extends ScreenName> = Extract<Screen, { readonly name: Name }>;

/** What is certain of an application that introduced itself, for the person to judge by. */
export type Introduction = {
  /** Of the address that is its name; null: it has none. */
  readonly host: string | null;
  /** Where the answer goes: a host, or the scheme of a program on the person's device; null: it is no redirect. */
  readonly returns: { readonly to: string; readonly isOnDevice: boolean } | null;
};

/** What a page of a run is told beside its screen. `clientName` is `null` where the person goes on to no application. */
export type ScreenFrame = Frame & {
  readonly clientName: string | null;
  readonly form: FormTarget;
  /** null or absent: the application's operator is known here. */
  readonly introduction?: Introduction | null;
};

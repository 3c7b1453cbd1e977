import type { Screen, ScreenName } from '../../flow/screen.ts';
import type { FormTarget, Frame } from '../layout.ts';

export type ScreenOf<Name extends ScreenName> = Extract<Screen, { readonly name: Name }>;

/** What a page of a run is told beside its screen. `clientName` is `null` where the person goes on to no application. */
export type ScreenFrame = Frame & { readonly clientName: string | null; readonly form: FormTarget };

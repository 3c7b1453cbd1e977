import type { Screen, ScreenName } from '../../flow/screen.ts';
import { consentPage } from './consent.ts';
import { devicePage } from './device.ts';
import { identifierPage } from './identifier.ts';
import { passwordPage } from './password.ts';
import type { ScreenFrame, ScreenOf } from './screen.ts';

type Pages = { readonly [Name in ScreenName]: (screen: ScreenOf<Name>, frame: ScreenFrame) => string };

const pages: Pages = { identifier: identifierPage, password: passwordPage, consent: consentPage, device: devicePage };

type AnyOf<Name extends ScreenName> = { [Key in Name]: ScreenOf<Key> & { readonly name: Key } }[Name];

const render = <Name extends ScreenName>(screen: AnyOf<Name>, frame: ScreenFrame): string =>
  pages[screen.name](screen, frame);

/** The document for what a run shows. */
export const screenPage = (screen: Screen, frame: ScreenFrame): string => render(screen, frame);

export { type AccountContent, accountPage } from './account.ts';
export { busyPage } from './busy.ts';
export { checkSessionPage, checkSessionScriptHash } from './check_session.ts';
export { completedPage } from './completed.ts';
export { type DeviceCodeFault, deviceCodePage } from './device_code.ts';
export { deviceEndPage } from './device_end.ts';
export { elsewherePage } from './elsewhere.ts';
export { type ErrorReason, errorPage } from './error.ts';
export { expiredPage } from './expired.ts';
export { formPostPage, formPostScriptHash } from './form_post.ts';
export type { Introduction, ScreenFrame } from './screen.ts';
export { signOutPage } from './sign_out.ts';
export { goOnScriptHash, signedOutPage } from './signed_out.ts';

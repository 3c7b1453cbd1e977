import type { Screen } from '../flow/screen.ts';
import { contentSecurityPolicy, formActionSource } from './content_security_policy.ts';
import { copyOf } from './copy/index.ts';
import type { FormTarget, Frame } from './layout.ts';
import { negotiateLocale } from './locale.ts';
import {
  type AccountContent,
  accountPage,
  busyPage,
  checkSessionPage,
  checkSessionScriptHash,
  completedPage,
  type DeviceCodeFault,
  deviceCodePage,
  deviceEndPage,
  type ErrorReason,
  elsewherePage,
  errorPage,
  expiredPage,
  formPostPage,
  formPostScriptHash,
  goOnScriptHash,
  type Introduction,
  screenPage,
  signedOutPage,
  signOutPage,
} from './pages/index.ts';

/** Every page there is, by what it is told. */
export type Page =
  | {
      readonly kind: 'screen';
      readonly screen: Screen;
      readonly clientName: string | null;
      readonly form: FormTarget;
      readonly introduction?: Introduction | null;
    }
  | {
      readonly kind: 'error';
      readonly reason: ErrorReason;
      readonly errorId: string;
      readonly backUrl: string | null;
      readonly clientName: string | null;
      readonly retryUrl?: string | null;
    }
  | { readonly kind: 'busy'; readonly retryUrl: string | null }
  | { readonly kind: 'completed'; readonly backUrl: string | null; readonly clientName: string | null }
  | {
      readonly kind: 'device_code';
      readonly userCode: string;
      readonly fault: DeviceCodeFault | null;
      readonly form: FormTarget;
    }
  | {
      readonly kind: 'device_end';
      readonly outcome: 'approved' | 'denied' | 'gone';
      readonly clientName: string;
      readonly startUrl: string | null;
    }
  | { readonly kind: 'elsewhere'; readonly startUrl: string | null }
  | { readonly kind: 'expired'; readonly startUrl: string | null }
  | {
      readonly kind: 'form_post';
      readonly redirectUri: string;
      readonly parameters: { readonly [name: string]: string };
      readonly clientName: string | null;
    }
  | {
      readonly kind: 'sign_out';
      readonly username: string;
      readonly form: FormTarget;
      readonly carried: { readonly [name: string]: string };
      readonly redirectUri: string | null;
    }
  | {
      readonly kind: 'signed_out';
      readonly backUrl: string | null;
      readonly clientName: string | null;
      /** What the page loads so that applications end their own sessions (OIDC Front-Channel Logout §2). */
      readonly frames?: readonly string[];
      /** Where it goes on to after that; null: nowhere. */
      readonly continueUrl?: string | null;
    }
  | ({ readonly kind: 'account' } & AccountContent)
  /** For a frame in somebody else's page: `cookie` is the name of what it watches. */
  | { readonly kind: 'check_session'; readonly cookie: string };

export type Presentation = {
  readonly realmName: string;
  readonly uiLocales: readonly string[];
  readonly acceptLanguage: string | null;
  /** Where a submit of this page may end: browsers check the redirects after it too (CSP3 `form-action`). */
  readonly redirectUri: string | null;
};

export type RenderedPage = { readonly html: string; readonly contentSecurityPolicy: string; readonly language: string };

export type RenderPage = (page: Page, presentation: Presentation) => RenderedPage;

export const renderPage: RenderPage = (page, { realmName, uiLocales, acceptLanguage, redirectUri }) => {
  const locale = negotiateLocale(uiLocales, acceptLanguage);
  const frame: Frame = { copy: copyOf(locale), realmName };
  const target = page.kind === 'form_post' ? page.redirectUri : redirectUri;
  return {
    html: documentOf(page, frame),
    contentSecurityPolicy: contentSecurityPolicy({
      formAction: formActions(page, target),
      scriptHashes: scriptHashes(page),
      frameSources: page.kind === 'signed_out' ? [...new Set((page.frames ?? []).map(formActionSource))] : [],
      imageSources: logoSources(page),
      frameable: page.kind === 'check_session',
    }),
    language: locale,
  };
};

function documentOf(page: Page, frame: Frame): string {
  switch (page.kind) {
    case 'screen':
      return screenPage(page.screen, { ...frame, ...page });
    case 'error':
      return errorPage(page, frame);
    case 'busy':
      return busyPage(page, frame);
    case 'completed':
      return completedPage(page, frame);
    case 'device_code':
      return deviceCodePage(page, frame);
    case 'device_end':
      return deviceEndPage(page, frame);
    case 'elsewhere':
      return elsewherePage(page, frame);
    case 'expired':
      return expiredPage(page, frame);
    case 'form_post':
      return formPostPage(page, frame);
    case 'sign_out':
      return signOutPage(page, frame);
    case 'signed_out':
      return signedOutPage(page, frame);
    case 'account':
      return accountPage(page, frame);
    case 'check_session':
      return checkSessionPage(page);
  }
}

/** Browsers check the redirects after a submit too, so where it may end is allowed beside our own address. */
function formActions({ kind }: Page, target: string | null): readonly string[] {
  if (kind === 'check_session') return [];
  return target === null ? ["'self'"] : ["'self'", formActionSource(target)];
}

/** The one script of the page, where it has one. */
function scriptHashes(page: Page): readonly string[] {
  if (page.kind === 'form_post') return [formPostScriptHash];
  if (page.kind === 'check_session') return [checkSessionScriptHash];
  return page.kind === 'signed_out' && (page.frames ?? []).length > 0 ? [goOnScriptHash] : [];
}

/** The one logo on the page, and no other picture. */
function logoSources(page: Page): readonly string[] {
  const logo = page.kind === 'screen' && 'logoUri' in page.screen ? page.screen.logoUri : null;
  return logo === null || !URL.canParse(logo) ? [] : [formActionSource(logo)];
}

import { randomToken } from '../../core/crypto.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { adopt, bornFamily, currentOf, type Generation, type Replayed, replayable } from './family.ts';
import type { Notice, Presentation } from './notice.ts';
import type { Attempt, Claims, Provider, Tokens } from './provider.ts';
import type { ProviderFault } from './provider_fault.ts';
import type { Session, SignedIn } from './sessions.ts';

/** A sign-in after a button was pressed, and what to say about it. */
export type Changed = { readonly signedIn: SignedIn; readonly notice: Notice };

/** Remembers a new attempt and says where the browser has to go. */
export async function beginSignIn(
  provider: Provider,
  session: Session,
  clientId: string,
): Promise<Result<URL, ProviderFault>> {
  const attempt: Attempt = { state: randomToken(), nonce: randomToken(), codeVerifier: randomToken(), clientId };
  const url = await provider.authorizationUrl(attempt);
  if (url.ok) session.attempts.set(attempt.state, attempt);
  return url;
}

/** Redeems the code of a callback. A refusal by the provider consumes nothing, so reloading its page shows it again. */
export async function completeSignIn(
  provider: Provider,
  session: Session,
  attempt: Attempt,
  callback: URL,
): Promise<Result<SignedIn, ProviderFault>> {
  const tokens = await provider.redeem(callback, attempt);
  if (tokens.ok || tokens.error.kind !== 'authorization_refused') session.attempts.delete(attempt.state);
  if (!tokens.ok) return tokens;
  const { accessToken, idToken, refreshToken } = tokens.value;
  if (idToken === null) return err({ kind: 'unacceptable', code: 'no_id_token', reason: 'the answer has no ID token' });
  const userinfo = await provider.userinfo(accessToken, subjectOf(idToken));
  const displayName = nameOf(userinfo.ok ? { ...idToken.claims, ...userinfo.value } : idToken.claims);
  const { clientId } = attempt;
  return ok({ clientId, displayName, accessToken, idToken, userinfo, family: bornFamily(refreshToken) });
}

/** Presents the current refresh token. */
export async function refresh(provider: Provider, signedIn: SignedIn): Promise<Changed> {
  const current = currentOf(signedIn.family);
  if (current === undefined) return { signedIn, notice: { name: 'no_refresh_token' } };
  const step = await present(provider, signedIn, current);
  return await conclude(provider, step.signedIn, 'refreshed', [step.presentation]);
}

/**
 * Presents the parent or the oldest refresh token again. After the oldest it tries the current one as well: only that
 * shows whether the reuse has ended the family.
 */
export async function replay(provider: Provider, signedIn: SignedIn, which: Replayed): Promise<Changed> {
  if (currentOf(signedIn.family) === undefined) return { signedIn, notice: { name: 'no_refresh_token' } };
  const old = replayable(signedIn.family, which);
  if (!old.ok) return { signedIn, notice: { name: 'too_few_generations', refreshesMissing: old.error } };
  const first = await present(provider, signedIn, old.value);
  const current = currentOf(first.signedIn.family);
  if (which === 'parent' && first.presentation.answer.accepted) {
    return await conclude(provider, first.signedIn, 'replayed_parent', [first.presentation]);
  }
  const name = which === 'parent' ? 'replayed_parent' : 'replayed_oldest';
  if (current === undefined) return await conclude(provider, first.signedIn, name, [first.presentation]);
  const second = await present(provider, first.signedIn, current);
  return await conclude(provider, second.signedIn, name, [first.presentation, second.presentation]);
}

type Step = { readonly signedIn: SignedIn; readonly presentation: Presentation };

async function present(provider: Provider, signedIn: SignedIn, generation: Generation): Promise<Step> {
  const { number, fingerprint, refreshToken } = generation;
  const presented = { generation: number, fingerprint };
  const answer = sameSubject(await provider.refresh(refreshToken.reveal()), signedIn);
  if (!answer.ok) {
    const isCurrent = currentOf(signedIn.family)?.number === number;
    const dead = isCurrent && answer.error.kind === 'refused' && answer.error.error === 'invalid_grant';
    const family = dead ? { ...signedIn.family, alive: false } : signedIn.family;
    return {
      signedIn: { ...signedIn, family },
      presentation: { ...presented, answer: { accepted: false, fault: answer.error } },
    };
  }
  const { accessToken, idToken, refreshToken: heir } = answer.value;
  const { family, outcome } = adopt(signedIn.family, heir);
  return {
    signedIn: { ...signedIn, accessToken, idToken: idToken ?? signedIn.idToken, family: { ...family, alive: true } },
    presentation: {
      ...presented,
      answer: { accepted: true, outcome, generation: currentOf(family)?.number ?? number },
    },
  };
}

/** A refreshed ID token must name the same user (OIDC Core §12.2). */
function sameSubject(answer: Result<Tokens, ProviderFault>, signedIn: SignedIn): Result<Tokens, ProviderFault> {
  if (!answer.ok || answer.value.idToken === null) return answer;
  if (subjectOf(answer.value.idToken) === subjectOf(signedIn.idToken)) return answer;
  return err({ kind: 'unacceptable', code: 'other_subject', reason: 'the refreshed ID token names another user' });
}

/** Asks userinfo again, so that the page shows what the access token is worth now. */
async function conclude(
  provider: Provider,
  signedIn: SignedIn,
  name: 'refreshed' | 'replayed_parent' | 'replayed_oldest',
  presentations: readonly Presentation[],
): Promise<Changed> {
  const userinfo = await provider.userinfo(signedIn.accessToken, subjectOf(signedIn.idToken));
  return { signedIn: { ...signedIn, userinfo }, notice: { name, presentations } };
}

/** The best name the provider told us (OIDC Core §5.1). */
function nameOf(claims: Claims): string {
  const names = [claims['name'], claims['preferred_username'], claims['sub']];
  return names.find((value) => typeof value === 'string') ?? 'you';
}

const subjectOf = (idToken: SignedIn['idToken']): string => String(idToken.claims['sub']);

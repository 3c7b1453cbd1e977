import { Type } from '@sinclair/typebox';
import { instantOfTimedId } from '../../core/ids.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Instant } from '../../core/time.ts';
import { narrowedAudience } from '../authorize/resource.ts';
import { type Client, countsFrom } from '../client.ts';
import { refuseClient } from '../client_auth/method.ts';
import { type Refusal, refusal } from '../errors.ts';
import { defineParameters } from '../parameters.ts';
import type { Families, Narrowing, RotatedGrant, Rotation } from '../ports.ts';
import { decodeRefreshToken, heirOf, type RefreshToken } from '../refresh_token.ts';
import { scopeTokens } from '../scope.ts';
import { classifyRefresh, type FamilyRow, type Grant } from '../token_family.ts';
import { type GrantFacts, type GrantType, type Issue, invalidGrant } from './grant.ts';

const parameters = defineParameters(
  Type.Object({
    refresh_token: Type.String({ maxLength: 512 }),
    scope: Type.Optional(Type.String({ maxLength: 2048 })),
    resource: Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 10 })),
  }),
);

/** RFC 6749 §6, RFC 9700 §4.14. */
export const refreshToken: GrantType = {
  type: 'refresh_token',
  forClass: ['public', 'confidential'],
  spendsProofs: true,
  check(facts) {
    const sent = parameters.read(facts.form);
    if (!sent.ok) return sent;
    const token = decodeRefreshToken(facts.ring, facts.realm.id, sent.value.refresh_token);
    if (typeof token === 'string' || isLongOver(token, facts.now)) return err(refuseToken);
    const { scope, resource = [] } = sent.value;
    const narrowing = {
      scope: scope === undefined ? null : scopeTokens(scope),
      audience: resource.length === 0 ? null : resource,
    };
    if (narrowing.scope?.length === 0) return err(refuseScope);
    return ok((families) => refresh(families, facts, token, narrowing));
  },
};

const refuseToken = invalidGrant(
  'the refresh token is unknown, expired, revoked or not for this client',
  'RFC 6749 §5.2',
);

/** The database's clock decides about the end of a family; this one only spares it what is long over. Milliseconds. */
const databaseClockTolerance = 2000;

const isLongOver = ({ familyId }: RefreshToken, now: Instant): boolean =>
  instantOfTimedId(familyId) + databaseClockTolerance <= now;

/** `never` is honoured for confidential clients only: a bearer token of a public client must rotate (RFC 9700 §4.14.2). */
export const rotates = (client: Pick<Client, 'class' | 'settings'>): boolean =>
  client.class === 'public' || client.settings.rotation === 'always';

/** One statement rotates; only where it matches no row a second one reads the row, which is then classified. */
async function refresh(
  families: Families,
  facts: GrantFacts,
  token: RefreshToken,
  narrowing: Narrowing,
): Promise<Result<Issue, Refusal>> {
  const successor = rotates(facts.client) ? heirOf(facts.ring, token) : token;
  const rotation = rotationTo(facts, token, successor, narrowing);
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const rotated = await families.rotate(attempt === 0 ? rotation : { ...rotation, proofs: [] });
    if (rotated === 'proof_spent') return err(refuseClient('RFC 7523 §3'));
    if (rotated !== null) return ok(issue(rotated, successor, rotation, facts.realm.issuer));
    const row = await families.read(token.familyId, facts.realm.id, rotation.bounds);
    const settled =
      row === null ? err(refuseToken) : await settle(row, { families, facts, token, rotation, successor });
    if (settled !== 'moved') return settled;
  }
  return err(refuseToken);
}

/**
 * The row can move between the two statements to where the token is good, when several refreshes heal lost commits at once;
 * each time somebody got further, so that a few looks are enough.
 */
const mostAttempts = 4;

type Attempt = {
  readonly families: Families;
  readonly facts: GrantFacts;
  readonly token: RefreshToken;
  readonly rotation: Rotation;
  readonly successor: RefreshToken;
};

/** Carries out the verdict on a token that did not simply rotate. `moved`: the row has changed since it did not match. */
async function settle(row: FamilyRow, attempt: Attempt): Promise<Result<Issue, Refusal> | 'moved'> {
  const { families, facts, token, rotation, successor } = attempt;
  const { realm, client, presenter, ring } = facts;
  const verdict = classifyRefresh(ring, token, row, {
    clientId: client.clientId,
    assured: client.class === 'confidential',
    leewaySeconds: client.settings.refreshLeewaySeconds,
    ...presenter,
  });
  switch (verdict.kind) {
    case 'current':
    case 'retry':
    case 'recover': {
      const narrowed = checkNarrowing(row.grant, rotation.narrowing);
      if (!narrowed.ok) return narrowed;
      if (verdict.kind === 'current') return 'moved';
      if (verdict.kind === 'retry') {
        // Most often the same program whose answer was lost; from elsewhere it may be a copy, and someone should see it.
        const isElsewhere = row.address !== presenter.address || row.agent !== presenter.agent;
        if (isElsewhere) await families.noteRetry(token.familyId, realm.id, row, presenter);
        return ok(issue(row, verdict.heir, rotation, realm.issuer));
      }
      const recovered = await families.recover({ ...rotation, ...verdict.from });
      return recovered === null ? 'moved' : ok(issue(recovered, successor, rotation, realm.issuer));
    }
    case 'reuse':
      await families.endForReuse({
        familyId: token.familyId,
        realmId: realm.id,
        row,
        classification: verdict.classification,
        generationGap: verdict.generationGap,
        presentedGeneration: token.generation,
        reaction: client.settings.reuseReaction,
        presenter,
      });
      return err(refuseToken);
    case 'mismatch':
      await families.noteMismatch(token.familyId, realm.id, client.clientId, presenter);
      return err(refuseToken);
    case 'ended':
    case 'other_client':
      return err(refuseToken);
  }
}

const rotationTo = (
  { client, realm, presenter, proofs }: GrantFacts,
  token: RefreshToken,
  successor: RefreshToken,
  narrowing: Narrowing,
): Rotation => ({
  familyId: token.familyId,
  realmId: realm.id,
  clientId: client.clientId,
  generation: token.generation,
  secretHash: token.secretHash,
  next: { generation: successor.generation, secretHash: successor.secretHash },
  narrowing,
  bounds: { idleSeconds: client.settings.refreshIdleLifetimeSeconds, clientValidFrom: countsFrom(client, realm) },
  presenter,
  proofs,
});

/** RFC 6749 §6: a refresh may narrow the scope, never widen it; RFC 8707 §2.2 says the same of resources. */
function checkNarrowing(grant: Grant, { scope, audience }: Narrowing): Result<null, Refusal> {
  if (scope !== null && !scope.every((token) => grant.scope.includes(token))) return err(refuseScope);
  if (audience !== null && !audience.every((resource) => grant.audience.includes(resource))) {
    return err(refusal('invalid_target', 'resource was not granted', 'RFC 8707 §2.2', 'resource'));
  }
  return ok(null);
}

const refuseScope = refusal(
  'invalid_scope',
  'scope asks for nothing, or for more than was granted',
  'RFC 6749 §6',
  'scope',
);

function issue(
  { grant, userClaims }: RotatedGrant,
  successor: RefreshToken,
  { narrowing }: Pick<Rotation, 'narrowing'>,
  issuer: string,
): Issue {
  const asked = narrowing.scope;
  const scope = asked === null ? grant.scope : grant.scope.filter((token) => asked.includes(token));
  return {
    grant: { ...grant, audience: narrowedAudience(narrowing.audience, grant.audience, issuer, scope) },
    scope,
    familyId: successor.familyId,
    refreshToken: successor,
    nonce: null,
    userClaims,
  };
}

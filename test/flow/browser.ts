import { brandId, type RealmId, type RunId, type UserId } from '../../src/core/ids.ts';
import type { Instant } from '../../src/core/time.ts';
import { type Definition, validateDefinition } from '../../src/flow/definition.ts';
import { createRun, step } from '../../src/flow/engine.ts';
import { defaultFlow, nodeTypes } from '../../src/flow/index.ts';
import type { Answer, Effect, NodeInput, Question, SessionAnswer } from '../../src/flow/node.ts';
import type { ConsentDemand, Demand, Run, UserState } from '../../src/flow/run.ts';
import type { Arrival, Step, View } from '../../src/flow/step.ts';

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;
export const start: Instant = 1_800_000_000_000;

export const realmId = brandId<RealmId>('01900000-0000-7000-8000-000000000001');
export const runId = brandId<RunId>('01a31a20-0000-8000-8000-0000000000aa');
export const flowVersionId = '01900000-0000-7000-8000-0000000000f1';

const person = (username: string, suffix: string): UserState => ({
  userId: brandId<UserId>(`01900000-0000-7000-8000-00000000${suffix}`),
  username,
  enabled: true,
  validFrom: 0,
});
export const alice = person('alice', 'a11c');
export const bob = person('bob', '0b0b');

export const plainDemand: Demand = {
  interactive: true,
  fresh: false,
  maxAgeSeconds: null,
  subject: null,
  hint: null,
  selectAccount: false,
  acr: { values: [], essential: false },
  consent: null,
};

export const consentDemand: ConsentDemand = {
  audience: 'demo-web',
  audienceName: 'Demo',
  logoUri: null,
  policyUri: 'https://rp.example/policy',
  termsUri: null,
  items: ['openid', 'email'],
  force: false,
  assured: true,
};

export function published(draft: unknown): Definition {
  const result = validateDefinition(draft, nodeTypes);
  if (!result.ok) throw new Error(result.error.map(({ sentence }) => sentence).join('\n'));
  return result.value;
}

export const browserFlow = published(defaultFlow);

export const sessionOf = (user: UserState, at: Instant): SessionAnswer => ({
  user,
  evidence: [{ method: 'pwd', userId: user.userId, at }],
});

/** What the world outside the engine holds; tests change it between moves. */
export type Outside = {
  now: Instant;
  session: SessionAnswer | null;
  busy: boolean;
  readonly users: Map<string, { user: UserState; password: string }>;
  readonly consents: Map<string, readonly string[]>;
};

export const outside = (changes: Partial<Outside> = {}): Outside => ({
  now: start,
  session: null,
  busy: false,
  users: new Map([
    ['alice', { user: alice, password: 'correct' }],
    ['bob', { user: bob, password: 'horse' }],
  ]),
  consents: new Map(),
  ...changes,
});

export const newRun = (demand: Partial<Demand> = {}, definition: Definition = browserFlow): Run =>
  createRun({
    id: runId,
    realmId,
    flowVersionId,
    definition,
    demand: { ...plainDemand, ...demand },
    startedAt: start,
    expiresAt: start + day,
  });

/** The session with its user as the user is now, as a join reads it. */
function sessionNow({ session, users }: Outside): SessionAnswer | null {
  const current = session === null ? undefined : users.get(session.user.username);
  return session === null ? null : { ...session, user: current?.user ?? session.user };
}

function answerTo(question: Question, world: Outside): Answer {
  if (question.kind === 'session') return { kind: 'session', session: sessionNow(world) };
  if (question.kind === 'consent') {
    return { kind: 'consent', items: world.consents.get(`${question.userId} ${question.audience}`) ?? [] };
  }
  if (world.busy) return { kind: 'verify_password', verdict: { kind: 'busy', retryAfterSeconds: 2 } };
  const known = world.users.get(question.username);
  const right = known?.user.enabled === true && known.password === question.password.reveal();
  if (!right) return { kind: 'verify_password', verdict: { kind: 'refused' } };
  return { kind: 'verify_password', verdict: { kind: 'accepted', user: known.user, at: world.now } };
}

/** A browser with one run: moves it, answers the engine's questions and applies its effects, as the edge does. */
export function browser(world: Outside, first: Run = newRun(), definition: Definition = browserFlow) {
  let run = first;
  let view: View | null = null;
  let applied: readonly Effect[] = [];
  const asked: Question[] = [];

  const userNow = (): UserState | null =>
    [...world.users.values()].find(({ user }) => user.userId === run.userId)?.user ?? null;

  function move(arrival: Arrival): View {
    const context = { now: world.now, registry: nodeTypes, user: userNow() };
    let result: Step = step(run, definition, arrival, context);
    while (result.view.kind === 'question') {
      const { question, pending } = result.view;
      asked.push(question);
      result = step(result.run, definition, { kind: 'answer', pending, answer: answerTo(question, world) }, context);
    }
    run = result.run;
    view = result.view;
    applied = result.effects;
    for (const effect of applied) {
      if (effect.kind === 'remember_consent') world.consents.set(`${effect.userId} ${effect.audience}`, effect.items);
    }
    return view;
  }

  return {
    visit: () => move({ kind: 'visit' }),
    submit: (input: NodeInput, atStep: number = run.step) => move({ kind: 'submit', step: atStep, input }),
    /** Types name and password on the two first screens. */
    signIn: (username = 'alice', password = 'correct') => {
      if (run.lastScreen === null) move({ kind: 'visit' });
      move({ kind: 'submit', step: run.step, input: { username } });
      return move({ kind: 'submit', step: run.step, input: { password } });
    },
    get run() {
      return run;
    },
    get view() {
      return view;
    },
    get effects() {
      return applied;
    },
    asked,
    /** The name of the screen, or how the run ended. */
    get at(): string {
      if (view === null || view.kind === 'question') return 'nowhere';
      if (view.kind === 'screen') return view.screen.name;
      return view.kind === 'failed' ? view.reason : 'succeeded';
    },
  };
}

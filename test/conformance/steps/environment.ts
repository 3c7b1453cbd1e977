import type { JWK } from 'jose';
import type { Browser } from './browser.ts';
import type { Json } from './json.ts';
import type { RelyingParty } from './relying_party.ts';

/** A static client of the plan. */
export type PlanClient = {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authMethod: 'client_secret_basic' | 'client_secret_post';
};

export type Variant = {
  readonly clientAuth: PlanClient['authMethod'];
  readonly responseMode: 'default' | 'form_post';
};

/** What a module works with: new for every module, except the provider, the relying party and the clients. */
export type Environment = {
  readonly issuer: string;
  readonly variant: Variant;
  /** The provider's discovery document, checked. */
  readonly metadata: Json;
  readonly keys: readonly JWK[];
  readonly client: PlanClient;
  readonly client2: PlanClient;
  readonly relyingParty: RelyingParty;
  readonly browser: Browser;
  /** Seconds since 1970, by the provider's clock. */
  readonly now: () => number;
  /** Lets so many seconds go by for provider and module. */
  readonly wait: (seconds: number) => Promise<void>;
  /** What the suite reports as a WARNING. */
  readonly warnUnless: (holds: boolean, otherwise: string) => void;
  /** What the suite leaves to a person: the module ends as REVIEW. */
  readonly review: (what: string) => void;
};

import type { JWK } from 'jose';
import type { Browser } from './browser.ts';
import type { ClientKey } from './client_key.ts';
import type { Json } from './json.ts';
import type { RelyingParty } from './relying_party.ts';

export type AuthMethod = 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';

/** A client of the plan: static, or registered for one module. */
export type PlanClient = {
  readonly clientId: string;
  /** null: it signs assertions. */
  readonly clientSecret: string | null;
  readonly authMethod: AuthMethod;
  readonly redirectUri: string;
  readonly key: ClientKey;
  /** What its registration answered; null: it is static. */
  readonly registered: Json | null;
};

export type ResponseType =
  | 'code'
  | 'id_token'
  | 'id_token token'
  | 'code id_token'
  | 'code token'
  | 'code id_token token';

export type Variant = {
  readonly clientAuth: AuthMethod;
  readonly responseMode: 'default' | 'form_post';
  readonly responseType: ResponseType;
  readonly registration: 'static_client' | 'dynamic_client';
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
  /** Registers a client with these members beside the usual ones, until the module ends. */
  readonly register: (members?: Json, key?: ClientKey) => Promise<PlanClient>;
  /** Gives the provider new signing keys. */
  readonly rotateKeys: () => Promise<void>;
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

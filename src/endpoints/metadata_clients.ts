import type { Log } from '../core/log.ts';
import { err, type Result } from '../core/result.ts';
import { wordsOf } from '../core/settings.ts';
import type { Client } from '../oidc/client.ts';
import {
  type ClientDocuments,
  clientOfDocument,
  type FetchedDocument,
  isClientIdUrl,
  isTakenHost,
  looksLikeUrl,
  refuseDocument,
} from '../oidc/client_id_metadata/index.ts';
import { metadata } from '../oidc/discovery.ts';
import { type Refusal, refusal } from '../oidc/errors.ts';
import type { Realm } from '../oidc/realm.ts';
import type { Exchange } from './exchange.ts';
import { createSenderRate } from './sender_rate.ts';

/** `unavailable`: its document cannot be had now, which says nothing of the client. */
export type NoClient = { readonly kind: 'refused' | 'unavailable'; readonly refusal: Refusal };

/** Clients by the URL of their metadata document (draft-ietf-oauth-client-id-metadata-document). */
export type MetadataClients = {
  /** Whether a `client_id` is meant for this here, rather than for what is registered. */
  readonly isNamed: (realm: Realm, clientId: string) => boolean;
  /** `sender`: of a request that shows nothing of ours yet, and could have this server ask any other one. */
  readonly find: (realm: Realm, clientId: string, sender: Sender | null) => Promise<Result<Client, NoClient>>;
};

export type Sender = Pick<Exchange, 'address' | 'forwarded' | 'now'>;

/** How many documents a sender may have fetched. */
const fetchingSize = { capacity: 60, refillSeconds: 600 };

export type MetadataClientsParts = {
  readonly documents: ClientDocuments;
  readonly acrValues: readonly string[];
  readonly uiLocales: readonly string[];
  readonly log: Log;
};

/** A document is judged once per realm as it is configured now; both are forgotten with the caches that hold them. */
export function createMetadataClients({ documents, acrValues, uiLocales, log }: MetadataClientsParts): MetadataClients {
  const rate = createSenderRate(() => fetchingSize);
  const judged = new WeakMap<Realm, WeakMap<FetchedDocument, Result<Client, NoClient>>>();

  const judge = (realm: Realm, clientId: string, fetched: FetchedDocument): Result<Client, NoClient> => {
    const ofRealm = judged.get(realm) ?? new WeakMap();
    judged.set(realm, ofRealm);
    const known = ofRealm.get(fetched);
    if (known !== undefined) return known;
    const served = metadata(realm, acrValues, uiLocales);
    const client = clientOfDocument(fetched.document, { realm, served, clientId });
    const verdict = client.ok ? client : err({ kind: 'refused' as const, refusal: client.error });
    ofRealm.set(fetched, verdict);
    if (!client.ok) logRefused(realm, clientId, client.error);
    return verdict;
  };

  /** By its origin: a path may be anything that somebody typed. */
  const logRefused = (realm: Realm, clientId: string, { rule, parameter, description }: Refusal): void =>
    log.info('client_document.refused', {
      realm: realm.slug,
      origin: new URL(clientId).origin,
      rule,
      parameter,
      description,
    });

  return {
    isNamed: ({ settings }, clientId) => settings.clientIdMetadataDocuments && looksLikeUrl(clientId),
    async find(realm, clientId, sender) {
      if (!isClientIdUrl(clientId)) return err({ kind: 'refused', refusal: badUrl });
      if (!isTakenHost(clientId, wordsOf(realm.settings.clientIdMetadataHosts)))
        return err({ kind: 'refused', refusal: badHost });
      const mayAsk = (): boolean => sender === null || rate({ realm, ...sender }) === 0;
      const answer = await documents.get(clientId, mayAsk);
      if (answer.kind !== 'found') return err(withoutDocument(answer));
      const verdict = judge(realm, clientId, answer.fetched);
      if (verdict.ok) return verdict;
      const renewed = await documents.renew(clientId, mayAsk);
      return renewed.kind === 'found' ? judge(realm, clientId, renewed.fetched) : verdict;
    },
  };
}

const badUrl = refuseDocument(
  'a client_id that is a URL must be https, in its normal form, with a path and without a fragment',
  'draft-ietf-oauth-client-id-metadata-document §3',
);

const badHost = refuseDocument(
  'client metadata documents of this host are not taken here',
  'setting clientIdMetadataHosts',
);

function withoutDocument({ kind, why }: { readonly kind: NoClient['kind']; readonly why: string }): NoClient {
  const rule = 'draft-ietf-oauth-client-id-metadata-document §5.1';
  const description = `the client metadata document could not be had: ${why}`;
  return kind === 'refused'
    ? { kind, refusal: refuseDocument(description, rule) }
    : { kind, refusal: refusal('temporarily_unavailable', description, rule, 'client_id') };
}

/** Thrown where a client is needed and its document cannot be had: it answers 503, by which nobody is signed out. */
export class ClientDocumentUnavailable extends Error {
  constructor({ description }: Refusal) {
    super(description);
    this.name = 'ClientDocumentUnavailable';
  }
}

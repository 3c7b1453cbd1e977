/**
 * What an error id stands for, and how to mend it: the record of a refusal in, an explanation for an operator out. It must
 * not know where records are kept, or who asks. For `limen explain` and the admin API.
 */
import { effective, type Layers } from '../../core/overrides.ts';
import type { SettingKey } from '../../core/settings.ts';
import type { Instant } from '../../core/time.ts';
import type { Client } from '../client.ts';
import type { RefusalRecord } from './record.ts';
import { type FactName, facts, remedyOf } from './remedies.ts';
import { ruleLink } from './rule_link.ts';

export type { NewRefusal, RefusalRecord } from './record.ts';

/** What is known today of whom the request was for; it may have changed since. */
export type Circumstances = {
  readonly realm: { readonly slug: string } | null;
  readonly client: Omit<Client, 'settings'> | null;
  readonly layers: Layers;
  readonly now: Instant;
};

export type ExplainedSetting = {
  readonly key: SettingKey;
  readonly value: string | number | boolean;
  readonly from: string;
  readonly reason: string | null;
};

export type Explanation = {
  readonly error_id: string;
  readonly at: Instant;
  readonly kind: RefusalRecord['kind'];
  readonly realm: string | null;
  readonly client_id: string | null;
  readonly client_name: string | null;
  readonly endpoint: string;
  readonly error: string;
  readonly parameter: string | null;
  readonly description: string | null;
  readonly rule: string | null;
  readonly rule_link: string | null;
  readonly registered: { readonly [Name in FactName]?: string | readonly string[] };
  readonly settings: readonly ExplainedSetting[];
  readonly mend: string;
};

export function explain(record: RefusalRecord, { realm, client, layers, now }: Circumstances): Explanation {
  const { mend, facts: names = [], settings = [] } = remedyOf(record);
  return {
    error_id: record.errorId,
    at: record.at,
    kind: record.kind,
    realm: realm?.slug ?? null,
    client_id: record.clientId,
    client_name: client?.name ?? null,
    endpoint: record.endpoint,
    error: record.error,
    parameter: record.parameter,
    description: record.description,
    rule: record.rule,
    rule_link: record.rule === null ? null : ruleLink(record.rule),
    registered: client === null ? {} : Object.fromEntries(names.map((name) => [name, facts[name](client)])),
    settings: realm === null ? [] : settings.map((key) => explainSetting(key, layers, now)),
    mend,
  };
}

function explainSetting(key: SettingKey, layers: Layers, now: Instant): ExplainedSetting {
  const { value, from, reason } = effective(key, layers, now);
  return { key, value, from, reason };
}

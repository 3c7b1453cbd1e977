import { type Explanation, explain, type RefusalRecord } from '../oidc/explanation/index.ts';
import { type Answer, document, nothingHere, refused } from './answer.ts';
import type { Reach } from './ports.ts';
import type { AdminRoute } from './route.ts';

export type ErrorsDocument = { readonly explanations: readonly (Omit<Explanation, 'at'> & { readonly at: string })[] };

export const showError: AdminRoute = {
  method: 'GET',
  path: '/errors/:id',
  needs: 'errors.read',
  summary: 'What an error id stands for, by which rule and setting, and how to mend it.',
  handle: async (ports, { parameters, reach, now }): Promise<Answer> => {
    const records = await ports.refusals((parameters['id'] ?? '').toLowerCase());
    const visible = records.filter((record) => isWithin(reach, record));
    if (visible.length === 0) return refused(nothingHere, { status: 404 });
    const realms = await ports.realms();
    const explanations: ErrorsDocument['explanations'][number][] = [];
    for (const record of visible) {
      const realm = realms.find(({ id }) => id === record.realmId) ?? null;
      const client = realm === null || record.clientId === null ? null : await ports.client(realm.id, record.clientId);
      const layers = {
        system: ports.system,
        ...(realm === null ? {} : { realm: realm.overrides }),
        ...(client === null ? {} : { client: client.overrides }),
      };
      const told = explain(record, { realm, client, layers, now });
      explanations.push({ ...told, at: new Date(told.at).toISOString() });
    }
    return document({ explanations } satisfies ErrorsDocument);
  },
};

/** What belongs to no realm is for whoever may see them all. */
const isWithin = ({ everywhere, realmIds }: Reach, { realmId }: RefusalRecord): boolean =>
  everywhere || (realmId !== null && realmIds.includes(realmId));

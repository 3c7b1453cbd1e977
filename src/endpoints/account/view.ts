import type { ClientId } from '../../core/ids.ts';
import { deviceHash } from '../../core/known_device.ts';
import type { AccountContent } from '../../login/pages/account.ts';
import { type Client, countsFrom } from '../../oidc/client.ts';
import { type Dependencies, findClient } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { accountUrl } from '../interaction/destination.ts';
import { carriedDevices } from '../interaction/known_device.ts';
import type { FoundSession } from '../interaction/ports.ts';
import type { ClientAccess, HistoryEntry } from './ports.ts';
import { isShownEvent, shownEvents } from './shown_events.ts';

/** A page of the history. */
const entriesShown = 50;

type View = Pick<AccountContent, 'sessions' | 'applications' | 'devices' | 'history' | 'olderUrl'>;

/** What the page shows. `before`: the history goes on behind this entry. */
export async function accountView(
  deps: Dependencies,
  exchange: Exchange,
  session: FoundSession,
  before: string | null,
): Promise<View> {
  const { realm } = exchange;
  const owner = { realmId: realm.id, userId: session.user.userId };
  const [sessions, access, devices, entries] = await Promise.all([
    deps.account.sessions(owner),
    deps.account.access(owner),
    deps.account.devices(owner, carriedDevices(exchange).map(deviceHash)),
    deps.account.history(owner, { events: shownEvents, before, limit: entriesShown + 1 }),
  ]);
  const clients = await clientsOf(deps, exchange, [...access, ...entries]);
  const shown = entries.slice(0, entriesShown);
  const last = entries.length > entriesShown ? shown.at(-1) : undefined;
  return {
    sessions: sessions
      .filter(({ startedAt }) => startedAt >= realm.validFrom)
      .map((each) => ({ ...each, isThis: each.id === session.id })),
    applications: access.flatMap((each) => applicationOf(exchange, each, clients.get(each.clientId) ?? null) ?? []),
    devices,
    history: shown.flatMap((entry) => historyOf(entry, clients) ?? []),
    olderUrl: last === undefined ? null : `${accountUrl(realm)}?before=${last.id}#history`,
  };
}

type Clients = ReadonlyMap<string, Client>;

async function clientsOf(
  deps: Dependencies,
  { realm, now }: Exchange,
  naming: readonly { readonly clientId: ClientId | null }[],
): Promise<Clients> {
  const ids = [...new Set(naming.flatMap(({ clientId }) => clientId ?? []))];
  const found = await Promise.all(ids.map((id) => findClient(deps, realm, id, now)));
  return new Map(found.flatMap((client) => (client === null ? [] : [[client.clientId, client]])));
}

/** null: what it held is over by the client's own rules, which the database does not know, and it was allowed nothing. */
function applicationOf({ realm, now }: Exchange, access: ClientAccess, client: Client | null) {
  const { clientId, scope, consentedAt, held } = access;
  const isOver =
    held !== null &&
    client !== null &&
    (held.lastGrantedAt < countsFrom(client, realm) ||
      now - held.lastUsedAt > client.settings.refreshIdleLifetimeSeconds * 1000);
  const counting = isOver ? null : held;
  const since = Math.min(consentedAt ?? Number.POSITIVE_INFINITY, counting?.since ?? Number.POSITIVE_INFINITY);
  if (!Number.isFinite(since)) return null;
  return {
    clientId,
    name: client?.name ?? clientId,
    scope,
    since,
    lastUsedAt: counting?.lastUsedAt ?? null,
    offline: counting?.offline ?? false,
  };
}

function historyOf({ event, at, clientId, address, agent, reason }: HistoryEntry, clients: Clients) {
  if (!isShownEvent(event)) return null;
  const clientName = clientId === null ? null : (clients.get(clientId)?.name ?? clientId);
  return { event, at, clientName, address, agent, isUntried: reason === 'locked' };
}

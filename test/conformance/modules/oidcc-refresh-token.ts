import { textsOf } from '../steps/json.ts';
import { defineModule } from '../steps/module.ts';
import { refresh, refreshAndCompare, signInOffline } from '../steps/refresh.ts';
import { mustRefuse } from '../steps/token.ts';
import { skipIf } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-refresh-token',
  summary: 'A refresh token gives tokens for the same sign-in, and to its own client only.',
  async run(environment) {
    const { client, client2, metadata } = environment;
    const isListed = textsOf(metadata, 'grant_types_supported').includes('refresh_token');
    const first = await signInOffline(environment, client);
    const isIssued = first.tokens.refreshToken !== null;
    environment.warnUnless(isIssued === isListed, `refresh_token is listed: ${isListed}, issued: ${isIssued}`);
    skipIf(!isIssued, 'no refresh token was issued');
    await refreshAndCompare(environment, first, { repeatScope: true });
    const newest = await refreshAndCompare(environment, await signInOffline(environment, client2), {});
    const stolen = await refresh(environment, client, newest);
    mustRefuse(stolen, 'invalid_grant', 'the refresh token of another client');
  },
});

import { type ClientKey, generateClientKey } from '../steps/client_key.ts';
import { defineModule } from '../steps/module.ts';
import { refresh, signInOffline } from '../steps/refresh.ts';
import { validateTokenResponse } from '../steps/validate_token_response.ts';
import { skipIf } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-refresh-token-rp-key-rotation',
  summary: 'A client that changed its keys at jwks_uri can use its refresh token.',
  alone: true,
  async run(environment) {
    const publish = (key: ClientKey): string => {
      const body = JSON.stringify({ keys: [key.jwk] });
      return environment.relyingParty.publish('rotated', { type: 'application/json', body });
    };
    const client = await environment.register({ jwks: null, jwks_uri: publish(environment.client.key) });
    const { tokens } = await signInOffline(environment, client);
    skipIf(tokens.refreshToken === null, 'no refresh token was issued');
    const key = await generateClientKey('rotated');
    publish(key);
    await environment.wait(60);
    const answer = await refresh(environment, { ...client, key }, tokens.refreshToken ?? '');
    validateTokenResponse(environment, answer);
  },
});

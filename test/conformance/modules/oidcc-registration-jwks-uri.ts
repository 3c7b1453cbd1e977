import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-registration-jwks-uri',
  summary: 'Keys of a client may be at an address.',
  async run(environment) {
    const { key } = environment.client;
    const body = JSON.stringify({ keys: [key.jwk] });
    const jwks_uri = environment.relyingParty.publish('jwks', { type: 'application/json', body });
    const client = await environment.register({ jwks: null, jwks_uri });
    await signIn(environment, {}, { client });
  },
});

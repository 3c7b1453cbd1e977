import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-idtoken-rs256',
  summary: 'A client that asks for ID tokens signed with RS256 gets them.',
  async run(environment) {
    const client = await environment.register({ id_token_signed_response_alg: 'RS256' });
    await signIn(environment, {}, { client });
  },
});

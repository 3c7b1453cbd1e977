import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-ensure-request-without-nonce-succeeds-for-code-flow',
  summary: 'The code flow needs no nonce, and an ID token has none that was not sent.',
  async run(environment) {
    await signIn(environment, { nonce: null });
  },
});

import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-claims-locales',
  summary: 'claims_locales is no error.',
  async run(environment) {
    await signIn(environment, { claims_locales: 'se' });
  },
});

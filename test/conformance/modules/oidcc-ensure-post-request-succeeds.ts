import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-ensure-post-request-succeeds',
  summary: 'The authorization request may come as a form from another site.',
  async run(environment) {
    await signIn(environment, {}, { method: 'POST' });
  },
});

import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-display-page',
  summary: 'display=page is no error.',
  async run(environment) {
    await signIn(environment, { display: 'page' });
  },
});

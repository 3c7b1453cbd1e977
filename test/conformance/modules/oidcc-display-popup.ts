import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-display-popup',
  summary: 'display=popup is no error.',
  async run(environment) {
    await signIn(environment, { display: 'popup' });
  },
});

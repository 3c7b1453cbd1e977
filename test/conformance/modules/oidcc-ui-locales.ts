import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-ui-locales',
  summary: 'ui_locales is no error, whether or not there is a page in that language.',
  async run(environment) {
    await signIn(environment, { ui_locales: 'se' });
  },
});

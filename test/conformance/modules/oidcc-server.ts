import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-server',
  summary: 'The code flow from the request to userinfo.',
  async run(environment) {
    await signIn(environment);
  },
});

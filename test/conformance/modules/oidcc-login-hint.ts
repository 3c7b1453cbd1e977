import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-login-hint',
  summary: 'A login_hint for somebody unknown is no error.',
  async run(environment) {
    await signIn(environment, { login_hint: `buffy@${new URL(environment.issuer).hostname}` });
  },
});

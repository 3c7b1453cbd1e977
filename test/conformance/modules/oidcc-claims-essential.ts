import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-claims-essential',
  summary: 'A claim that is asked for as essential in userinfo is there, and not in the ID token.',
  async run(environment) {
    const claims = JSON.stringify({ userinfo: { name: { essential: true } } });
    const { userinfo } = await signIn(environment, { claims });
    environment.warnUnless(userinfo['name'] !== undefined, 'userinfo has no name');
  },
});

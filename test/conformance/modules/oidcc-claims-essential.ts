import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-claims-essential',
  summary: 'A claim that is asked for as essential in userinfo is there, and not in the ID token.',
  async run(environment) {
    const isAlone = environment.variant.responseType === 'id_token';
    const place = isAlone ? 'id_token' : 'userinfo';
    const claims = JSON.stringify({ [place]: { name: { essential: true } } });
    const { userinfo } = await signIn(environment, { claims }, { askedFor: isAlone ? ['name'] : [] });
    environment.warnUnless(userinfo['name'] !== undefined, 'userinfo has no name');
  },
});

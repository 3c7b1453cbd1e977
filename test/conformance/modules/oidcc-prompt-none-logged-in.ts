import { defineModule } from '../steps/module.ts';
import { mustAskNothing } from '../steps/screens.ts';
import { signIn } from '../steps/sign_in.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-prompt-none-logged-in',
  summary: 'prompt=none succeeds without a page for a person who is signed in.',
  async run(environment) {
    const first = await signIn(environment);
    const second = await signIn(environment, { prompt: 'none' });
    mustAskNothing(second.visit);
    must(first.idToken.subject === second.idToken.subject, 'sub differs');
    must(first.idToken.claims['auth_time'] === second.idToken.claims['auth_time'], 'auth_time differs');
  },
});

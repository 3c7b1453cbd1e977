import { defineModule } from '../steps/module.ts';
import { mustAskNothing } from '../steps/screens.ts';
import { signIn } from '../steps/sign_in.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-id-token-hint',
  summary: 'prompt=none with an id_token_hint for the person who is signed in succeeds.',
  async run(environment) {
    const first = await signIn(environment);
    const second = await signIn(environment, { prompt: 'none', id_token_hint: first.idToken.raw });
    mustAskNothing(second.visit);
    must(first.idToken.subject === second.idToken.subject, 'sub differs');
  },
});

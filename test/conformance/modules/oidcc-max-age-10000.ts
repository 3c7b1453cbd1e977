import { defineModule } from '../steps/module.ts';
import { mustAskNothing } from '../steps/screens.ts';
import { signIn } from '../steps/sign_in.ts';
import { authTimeOf } from '../steps/validate_id_token.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-max-age-10000',
  summary: 'max_age above the age of the sign-in asks for nothing, and both ID tokens have its auth_time.',
  async run(environment) {
    const first = await signIn(environment, { max_age: '15000' });
    await environment.wait(1);
    const second = await signIn(environment, { max_age: '10000' });
    mustAskNothing(second.visit);
    must(first.idToken.subject === second.idToken.subject, 'sub differs');
    must(authTimeOf(first.idToken) === authTimeOf(second.idToken), 'auth_time differs');
  },
});

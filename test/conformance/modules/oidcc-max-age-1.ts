import { defineModule } from '../steps/module.ts';
import { mustAuthenticate } from '../steps/screens.ts';
import { signIn } from '../steps/sign_in.ts';
import { authTimeOf } from '../steps/validate_id_token.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-max-age-1',
  summary: 'max_age=1 two seconds after a sign-in asks for another one.',
  async run(environment) {
    const first = await signIn(environment);
    await environment.wait(2);
    const second = await signIn(environment, { max_age: '1' });
    mustAuthenticate(second.visit);
    const authTime = authTimeOf(second.idToken);
    must(Math.abs(environment.now() - authTime) < 60, 'auth_time is not recent');
    if (first.idToken.claims['auth_time'] !== undefined) {
      must(authTime > authTimeOf(first.idToken), 'auth_time is not that of the second sign-in');
    }
    environment.review('the login page of the second request');
  },
});

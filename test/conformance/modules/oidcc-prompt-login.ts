import { defineModule } from '../steps/module.ts';
import { mustAuthenticate } from '../steps/screens.ts';
import { signIn } from '../steps/sign_in.ts';
import { authTimeOf } from '../steps/validate_id_token.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-prompt-login',
  summary: 'prompt=login makes a person sign in again who is signed in.',
  async run(environment) {
    const first = await signIn(environment);
    await environment.wait(1);
    const second = await signIn(environment, { prompt: 'login' });
    mustAuthenticate(second.visit);
    if (first.idToken.claims['auth_time'] !== undefined && second.idToken.claims['auth_time'] !== undefined) {
      must(authTimeOf(second.idToken) > authTimeOf(first.idToken), 'auth_time is not that of the second sign-in');
    }
    environment.review('the login page of the second request');
  },
});

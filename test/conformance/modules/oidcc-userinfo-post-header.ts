import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-userinfo-post-header',
  summary: 'Userinfo answers by POST with the token in the header, and its sub is that of the ID token.',
  async run(environment) {
    await signIn(environment, {}, { userinfoWay: 'post_header' });
  },
});

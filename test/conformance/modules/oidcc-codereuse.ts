import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';
import { mustRefuse, redeemCode } from '../steps/token.ts';

export const module = defineModule({
  name: 'oidcc-codereuse',
  summary: 'A code is refused the second time.',
  async run(environment) {
    const { request, code } = await signIn(environment);
    const again = await redeemCode(environment, request.client, code);
    environment.warnUnless(again.status !== 200, 'a code is accepted twice');
    if (again.status !== 200) mustRefuse(again, 'invalid_grant', 'a used code');
  },
});

import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';
import { mustRefuse, redeemCode } from '../steps/token.ts';
import { requestUserinfo } from '../steps/userinfo.ts';

export const module = defineModule({
  name: 'oidcc-codereuse-30seconds',
  summary: 'A code is refused 30 seconds after its use, and what it gave is revoked.',
  alone: true,
  async run(environment) {
    const { request, code, tokens } = await signIn(environment);
    await environment.wait(30);
    mustRefuse(await redeemCode(environment, request.client, code), 'invalid_grant', 'a used code');
    const { status } = await requestUserinfo(environment, tokens.accessToken);
    environment.warnUnless(status >= 400 && status < 500, `userinfo still answers ${status}`);
  },
});

import { authorizationRequest, authorize } from '../steps/authorize.ts';
import { defineModule } from '../steps/module.ts';
import { finishSignIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-alternate-happy-flow',
  summary: 'Neither the order of scopes nor that of parameters matters.',
  async run(environment) {
    const request = authorizationRequest(environment, { scope: 'email openid' });
    const parameters = Object.fromEntries(Object.entries(request.parameters).toSorted().toReversed());
    await finishSignIn(environment, request, await authorize(environment, { parameters }));
  },
});

import { authorizationRequest, authorize } from '../steps/authorize.ts';
import { errorFrom } from '../steps/callback.ts';
import { defineModule } from '../steps/module.ts';
import { reviewErrorPage } from '../steps/screens.ts';

export const module = defineModule({
  name: 'oidcc-ensure-request-without-nonce-fails',
  summary: 'Where an ID token comes through the browser, a nonce is required.',
  async run(environment) {
    const request = authorizationRequest(environment, { nonce: null });
    const visit = await authorize(environment, request);
    if (visit.end.kind === 'page') reviewErrorPage(environment, visit, 'the error page for a missing nonce');
    else errorFrom(environment, request, visit, ['invalid_request']);
  },
});

import { randomUUID } from 'node:crypto';
import { authorizationRequest, authorize } from '../steps/authorize.ts';
import { callbackFields } from '../steps/callback.ts';
import { defineModule } from '../steps/module.ts';
import { byRequestObject, skipUnlessUnsignedAllowed } from '../steps/request_object.ts';
import { reviewErrorPage } from '../steps/screens.ts';
import { finishSignIn } from '../steps/sign_in.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-ensure-request-object-with-redirect-uri',
  summary: 'Of two redirect_uris the one inside the request object counts, or neither is used.',
  async run(environment) {
    skipUnlessUnsignedAllowed(environment);
    const request = authorizationRequest(environment);
    const redirect_uri = `${environment.relyingParty.redirectUri}/${randomUUID()}`;
    const parameters = { ...byRequestObject(environment, request), redirect_uri };
    const visit = await authorize(environment, { parameters });
    if (visit.end.kind === 'page') {
      reviewErrorPage(environment, visit, 'the error page for the redirect_uri outside the request object');
      return;
    }
    const { error } = callbackFields(environment, visit);
    must(error !== 'request_not_supported', 'a refusal went to an address that the request did not name');
    await finishSignIn(environment, request, visit);
  },
});

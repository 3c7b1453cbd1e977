import { authorizationRequest, authorize } from '../steps/authorize.ts';
import { defineModule } from '../steps/module.ts';
import { reviewErrorPage } from '../steps/screens.ts';

export const module = defineModule({
  name: 'oidcc-ensure-redirect-uri-in-authorization-request',
  summary: 'Which of two redirect_uris is meant must be said.',
  async run(environment) {
    const { redirectUri } = environment.relyingParty;
    const client = await environment.register({ redirect_uris: [redirectUri, `${redirectUri}/other`] });
    const request = authorizationRequest(environment, { redirect_uri: null }, client);
    const visit = await authorize(environment, request);
    reviewErrorPage(environment, visit, 'the error page for a missing redirect_uri');
  },
});

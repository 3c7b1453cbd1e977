import { authorizationRequest, authorize } from '../steps/authorize.ts';
import { defineModule } from '../steps/module.ts';
import { reviewErrorPage } from '../steps/screens.ts';

export const module = defineModule({
  name: 'oidcc-redirect-uri-query-added',
  summary: 'A redirect_uri with a query that is not registered is not used.',
  async run(environment) {
    const { redirectUri } = environment.relyingParty;
    const client = await environment.register({ redirect_uris: [redirectUri] });
    const request = authorizationRequest(environment, { redirect_uri: `${redirectUri}?foo=bar` }, client);
    const visit = await authorize(environment, request);
    reviewErrorPage(environment, visit, 'the error page for a redirect_uri with a query added');
  },
});

import { authorizationRequest, authorize } from '../steps/authorize.ts';
import { defineModule } from '../steps/module.ts';
import { reviewErrorPage } from '../steps/screens.ts';

export const module = defineModule({
  name: 'oidcc-redirect-uri-query-mismatch',
  summary: 'A redirect_uri with another query than the registered one is not used.',
  async run(environment) {
    const { redirectUri } = environment.relyingParty;
    const client = await environment.register({ redirect_uris: [`${redirectUri}?foo=bar`] });
    const request = authorizationRequest(environment, { redirect_uri: `${redirectUri}?foo=baz` }, client);
    const visit = await authorize(environment, request);
    reviewErrorPage(environment, visit, 'the error page for a redirect_uri with another query');
  },
});

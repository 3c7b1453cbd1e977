import { randomUUID } from 'node:crypto';
import { authorizationRequest, authorize } from '../steps/authorize.ts';
import { defineModule } from '../steps/module.ts';
import { reviewErrorPage } from '../steps/screens.ts';

export const module = defineModule({
  name: 'oidcc-ensure-registered-redirect-uri',
  summary: 'An unregistered redirect_uri is told to the person and never used.',
  async run(environment) {
    const redirect_uri = `${environment.relyingParty.redirectUri}/${randomUUID()}`;
    const visit = await authorize(environment, authorizationRequest(environment, { redirect_uri }));
    reviewErrorPage(environment, visit, 'the error page for an unregistered redirect_uri');
  },
});

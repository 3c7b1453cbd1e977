import { defineModule } from '../steps/module.ts';
import { refusedRegistration } from '../steps/refused_registration.ts';

export const module = defineModule({
  name: 'oidcc-redirect-uri-regfrag',
  summary: 'A redirect_uri with a fragment cannot be registered.',
  async run(environment) {
    const redirect_uris = [`${environment.relyingParty.redirectUri}#foobar`];
    const error = await refusedRegistration(environment, { redirect_uris });
    const fitting = ['invalid_redirect_uri', 'invalid_client_metadata'].includes(error);
    environment.warnUnless(fitting, `the error is ${error}`);
  },
});

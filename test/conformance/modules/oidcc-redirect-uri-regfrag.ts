import { endpoint, isJson } from '../steps/discovery.ts';
import { defineModule } from '../steps/module.ts';
import { postRegistration, usualMembers } from '../steps/registration.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-redirect-uri-regfrag',
  summary: 'A redirect_uri with a fragment cannot be registered.',
  async run(environment) {
    const { relyingParty, variant, client, metadata } = environment;
    const document = {
      ...usualMembers(relyingParty, variant, client.key),
      redirect_uris: [`${relyingParty.redirectUri}#foobar`],
    };
    const { status, headers, body } = await postRegistration(endpoint({ metadata }, 'registration_endpoint'), document);
    must(status === 400, `the registration is answered by ${status}, not 400`);
    must(isJson(headers) && body !== null, 'the refusal is not JSON');
    const error = String(body['error']);
    environment.warnUnless(
      ['invalid_redirect_uri', 'invalid_client_metadata'].includes(error),
      `the error is ${error}`,
    );
  },
});

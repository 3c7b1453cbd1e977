import { endpoint, isJson } from '../steps/discovery.ts';
import { defineModule } from '../steps/module.ts';
import { postRegistration, usualMembers } from '../steps/registration.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-3rd_party-init-login-nohttps',
  summary: 'An initiate_login_uri without https cannot be registered.',
  async run(environment) {
    const { relyingParty, variant, client, metadata } = environment;
    const document = {
      ...usualMembers(relyingParty, variant, client.key),
      initiate_login_uri: 'http://rp.example/login',
    };
    const { status, headers, body } = await postRegistration(endpoint({ metadata }, 'registration_endpoint'), document);
    must(status === 400, `the registration is answered by ${status}, not 400`);
    must(isJson(headers) && body !== null, 'the refusal is not JSON');
    const error = String(body['error']);
    must(error === 'invalid_client_metadata', `the error is ${error}`);
  },
});

import { defineModule } from '../steps/module.ts';
import { refusedRegistration } from '../steps/refused_registration.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-3rd_party-init-login-nohttps',
  summary: 'An initiate_login_uri without https cannot be registered.',
  async run(environment) {
    const error = await refusedRegistration(environment, { initiate_login_uri: 'http://rp.example/login' });
    must(error === 'invalid_client_metadata', `the error is ${error}`);
  },
});

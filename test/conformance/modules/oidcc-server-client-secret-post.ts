import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-server-client-secret-post',
  summary: 'The code flow of a client that authenticates by client_secret_post.',
  async run(environment) {
    must(environment.client.authMethod === 'client_secret_post', 'the plan runs this with another client');
    await signIn(environment);
  },
});

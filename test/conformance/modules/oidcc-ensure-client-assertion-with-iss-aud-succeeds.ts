import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';
import { assertionOf } from '../steps/token.ts';

export const module = defineModule({
  name: 'oidcc-ensure-client-assertion-with-iss-aud-succeeds',
  summary: 'An assertion for the issuer is accepted as one for the token endpoint is.',
  async run(environment) {
    const assertion = await assertionOf(environment, environment.client, environment.issuer);
    await signIn(environment, {}, { tokenParameters: assertion });
  },
});

import { textsOf } from '../steps/json.ts';
import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-ensure-request-with-acr-values-succeeds',
  summary: 'acr_values succeeds, and the ID token says which of them was met.',
  async run(environment) {
    const supported = textsOf(environment.metadata, 'acr_values_supported');
    const asked = supported.length > 0 ? supported : ['1', '2'];
    const { idToken } = await signIn(environment, { acr_values: asked.join(' ') });
    const { acr } = idToken.claims;
    environment.warnUnless(
      asked.some((value) => value === acr),
      `acr is ${String(acr)}, which was not asked for`,
    );
  },
});

import { textsOf } from '../steps/json.ts';
import { defineModule } from '../steps/module.ts';
import { must, skipIf } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-idtoken-unsigned',
  summary: 'An unsigned ID token is issued only where it is offered.',
  async run(environment) {
    const listed = textsOf(environment.metadata, 'id_token_signing_alg_values_supported');
    skipIf(!listed.includes('none'), "'none' is not listed in id_token_signing_alg_values_supported");
    must(false, 'unsigned ID tokens are offered');
  },
});

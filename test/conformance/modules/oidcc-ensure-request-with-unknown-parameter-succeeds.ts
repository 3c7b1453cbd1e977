import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-ensure-request-with-unknown-parameter-succeeds',
  summary: 'A parameter nobody knows is ignored.',
  async run(environment) {
    await signIn(environment, { extra: 'foobar' });
  },
});

import { defineModule } from '../steps/module.ts';
import { signInWithScopes } from '../steps/scopes.ts';

export const module = defineModule({
  name: 'oidcc-scope-all',
  summary: 'Userinfo has every claim of all four scopes.',
  async run(environment) {
    await signInWithScopes(environment, ['profile', 'email', 'address', 'phone']);
  },
});

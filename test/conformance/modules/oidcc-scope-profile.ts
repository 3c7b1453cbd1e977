import { defineModule } from '../steps/module.ts';
import { signInWithScopes } from '../steps/scopes.ts';

export const module = defineModule({
  name: 'oidcc-scope-profile',
  summary: 'Userinfo has every claim of the scope profile, and only those.',
  async run(environment) {
    await signInWithScopes(environment, ['profile']);
  },
});

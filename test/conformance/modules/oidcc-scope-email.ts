import { defineModule } from '../steps/module.ts';
import { signInWithScopes } from '../steps/scopes.ts';

export const module = defineModule({
  name: 'oidcc-scope-email',
  summary: 'Userinfo has every claim of the scope email, and only those.',
  async run(environment) {
    await signInWithScopes(environment, ['email']);
  },
});

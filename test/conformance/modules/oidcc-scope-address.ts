import { defineModule } from '../steps/module.ts';
import { signInWithScopes } from '../steps/scopes.ts';

export const module = defineModule({
  name: 'oidcc-scope-address',
  summary: 'Userinfo has every claim of the scope address, and only those.',
  async run(environment) {
    await signInWithScopes(environment, ['address']);
  },
});

import { mustBeSignedOut, mustReturn, signOut } from '../steps/logout.ts';
import { defineModule } from '../steps/module.ts';

export const module = defineModule({
  name: 'oidcc-rp-initiated-logout-no-state',
  summary: 'A sign-out without state comes back without state.',
  async run(environment) {
    const { visit } = await signOut(environment, ({ state: _, ...rest }) => rest);
    mustReturn(environment, visit, null);
    await mustBeSignedOut(environment);
  },
});

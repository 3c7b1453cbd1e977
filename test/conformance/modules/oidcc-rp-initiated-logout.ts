import { mustBeSignedOut, mustReturn, signOut } from '../steps/logout.ts';
import { defineModule } from '../steps/module.ts';

export const module = defineModule({
  name: 'oidcc-rp-initiated-logout',
  summary: 'A sign-out with hint, address and state comes back there and ends the session.',
  async run(environment) {
    const { visit, state } = await signOut(environment, (whole) => whole);
    mustReturn(environment, visit, state);
    await mustBeSignedOut(environment);
  },
});

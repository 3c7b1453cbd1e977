import { mustBeSignedOut, reviewLogoutPage, signOut } from '../steps/logout.ts';
import { defineModule } from '../steps/module.ts';

export const module = defineModule({
  name: 'oidcc-rp-initiated-logout-only-state',
  summary: 'A sign-out with nothing but a state ends the session on a page of the provider.',
  async run(environment) {
    const { visit } = await signOut(environment, ({ state = '' }) => ({ state }));
    reviewLogoutPage(environment, visit, 'the page that says that the person is signed out');
    await mustBeSignedOut(environment);
  },
});

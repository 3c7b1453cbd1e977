import { mustBeSignedOut, reviewLogoutPage, signOut } from '../steps/logout.ts';
import { defineModule } from '../steps/module.ts';

export const module = defineModule({
  name: 'oidcc-rp-initiated-logout-no-params',
  summary: 'A sign-out without any parameter ends the session on a page of the provider.',
  async run(environment) {
    const { visit } = await signOut(environment, () => ({}));
    reviewLogoutPage(environment, visit, 'the page that says that the person is signed out');
    await mustBeSignedOut(environment);
  },
});

import { mustBeSignedOut, reviewLogoutPage, signOut } from '../steps/logout.ts';
import { defineModule } from '../steps/module.ts';

export const module = defineModule({
  name: 'oidcc-rp-initiated-logout-no-post-logout-redirect-uri',
  summary: 'A sign-out without an address to return to ends the session on a page of the provider.',
  async run(environment) {
    const { visit } = await signOut(environment, ({ post_logout_redirect_uri: _, ...rest }) => rest);
    reviewLogoutPage(environment, visit, 'the page that says that the person is signed out');
    await mustBeSignedOut(environment);
  },
});

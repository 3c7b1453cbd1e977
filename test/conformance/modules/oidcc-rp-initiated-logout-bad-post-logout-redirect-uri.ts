import { randomUUID } from 'node:crypto';
import { reviewLogoutPage, signOut } from '../steps/logout.ts';
import { defineModule } from '../steps/module.ts';

export const module = defineModule({
  name: 'oidcc-rp-initiated-logout-bad-post-logout-redirect-uri',
  summary: 'An unregistered post_logout_redirect_uri is not used.',
  async run(environment) {
    const { visit } = await signOut(environment, (whole) => ({
      ...whole,
      post_logout_redirect_uri: `${environment.relyingParty.postLogoutRedirectUri}/${randomUUID()}`,
    }));
    reviewLogoutPage(environment, visit, 'the page for an unregistered post_logout_redirect_uri');
  },
});

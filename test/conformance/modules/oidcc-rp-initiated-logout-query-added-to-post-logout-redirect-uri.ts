import { reviewLogoutPage, signOut } from '../steps/logout.ts';
import { defineModule } from '../steps/module.ts';

export const module = defineModule({
  name: 'oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri',
  summary: 'A registered post_logout_redirect_uri with a query added is not used.',
  async run(environment) {
    const { visit } = await signOut(environment, (whole) => ({
      ...whole,
      post_logout_redirect_uri: `${environment.relyingParty.postLogoutRedirectUri}?foo=bar`,
    }));
    reviewLogoutPage(environment, visit, 'the page for a post_logout_redirect_uri with a query added');
  },
});

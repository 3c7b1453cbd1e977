import { reviewLogoutPage, signOut } from '../steps/logout.ts';
import { defineModule } from '../steps/module.ts';

export const module = defineModule({
  name: 'oidcc-rp-initiated-logout-no-id-token-hint',
  summary: 'Without a hint nobody knows whose address it is, and it is not used.',
  async run(environment) {
    const { visit } = await signOut(environment, ({ id_token_hint: _, ...rest }) => rest);
    reviewLogoutPage(environment, visit, 'the page for a sign-out without hint');
  },
});

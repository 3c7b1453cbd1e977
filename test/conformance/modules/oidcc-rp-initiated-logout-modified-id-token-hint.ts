import { decodeJwt } from 'jose';
import { reviewLogoutPage, signOut } from '../steps/logout.ts';
import { defineModule } from '../steps/module.ts';

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export const module = defineModule({
  name: 'oidcc-rp-initiated-logout-modified-id-token-hint',
  summary: 'A hint whose algorithm was changed to none leads nowhere.',
  async run(environment) {
    const { visit } = await signOut(environment, (whole) => ({
      ...whole,
      id_token_hint: `${encode({ alg: 'none' })}.${encode(decodeJwt(whole.id_token_hint))}.`,
    }));
    reviewLogoutPage(environment, visit, 'the page for a hint without signature');
  },
});

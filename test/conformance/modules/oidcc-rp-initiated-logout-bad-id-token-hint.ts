import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT } from 'jose';
import { reviewLogoutPage, signOut } from '../steps/logout.ts';
import { defineModule } from '../steps/module.ts';

export const module = defineModule({
  name: 'oidcc-rp-initiated-logout-bad-id-token-hint',
  summary: 'A hint that somebody else signed leads nowhere.',
  async run(environment) {
    const { privateKey } = await generateKeyPair('RS256');
    const { visit } = await signOut(environment, async (whole) => {
      const { kid = '' } = decodeProtectedHeader(whole.id_token_hint);
      const forged = new SignJWT(decodeJwt(whole.id_token_hint)).setProtectedHeader({ alg: 'RS256', kid });
      return { ...whole, id_token_hint: await forged.sign(privateKey) };
    });
    reviewLogoutPage(environment, visit, 'the page for a hint signed by somebody else');
  },
});

import { createHash } from 'node:crypto';
import { alphanumeric, randomText } from '../steps/entropy.ts';
import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';

export const module = defineModule({
  name: 'oidcc-ensure-request-with-valid-pkce-succeeds',
  summary: 'A code_challenge by S256 and its code_verifier are accepted.',
  async run(environment) {
    const code_verifier = randomText(64, alphanumeric);
    const code_challenge = createHash('sha256').update(code_verifier).digest('base64url');
    const challenge = { code_challenge, code_challenge_method: 'S256' };
    await signIn(environment, challenge, { tokenParameters: { code_verifier } });
  },
});

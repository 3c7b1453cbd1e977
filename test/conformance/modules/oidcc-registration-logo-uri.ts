import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-registration-logo-uri',
  summary: 'A page shows the logo that the client registered.',
  async run(environment) {
    const logo_uri = 'https://rp.example/logo';
    const client = await environment.register({ logo_uri });
    const { visit } = await signIn(environment, {}, { client });
    must(
      visit.pages.some((html) => html.includes(logo_uri)),
      'no page shows it',
    );
    environment.review('the logo');
  },
});

import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-registration-tos-uri',
  summary: 'A page shows the link to the terms that the client registered.',
  async run(environment) {
    const tos_uri = 'https://rp.example/tos';
    const client = await environment.register({ tos_uri });
    const { visit } = await signIn(environment, {}, { client });
    must(
      visit.pages.some((html) => html.includes(tos_uri)),
      'no page shows it',
    );
    environment.review('the link to the terms');
  },
});

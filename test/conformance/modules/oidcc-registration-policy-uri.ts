import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-registration-policy-uri',
  summary: 'A page shows the link to the privacy policy that the client registered.',
  async run(environment) {
    const policy_uri = 'https://rp.example/policy';
    const client = await environment.register({ policy_uri });
    const { visit } = await signIn(environment, {}, { client });
    must(
      visit.pages.some((html) => html.includes(policy_uri)),
      'no page shows it',
    );
    environment.review('the link to the privacy policy');
  },
});

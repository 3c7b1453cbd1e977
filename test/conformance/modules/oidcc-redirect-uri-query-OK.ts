import { defineModule } from '../steps/module.ts';
import { signIn } from '../steps/sign_in.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-redirect-uri-query-OK',
  summary: 'The query of a redirect_uri is kept.',
  async run(environment) {
    const redirect = `${environment.relyingParty.redirectUri}?foo=bar`;
    const client = await environment.register({ redirect_uris: [redirect] });
    const { visit } = await signIn(environment, {}, { client });
    must(visit.end.kind === 'relying_party' && visit.end.request.query.get('foo') === 'bar', 'foo=bar is gone');
  },
});

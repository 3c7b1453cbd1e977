import { mustBeSignedOut, mustReturn, signOut } from '../steps/logout.ts';
import { defineModule } from '../steps/module.ts';
import { fieldsOf } from '../steps/relying_party.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-frontchannel-rp-initiated-logout',
  summary: 'A sign-out tells the client through a frame of the browser.',
  async run(environment) {
    const { relyingParty, issuer, warnUnless } = environment;
    const path = '/test/a/limen/frontchannel_logout';
    const client = await environment.register({
      frontchannel_logout_uri: relyingParty.origin + path,
      frontchannel_logout_session_required: true,
    });
    const { visit, state, idToken } = await signOut({ ...environment, client }, (whole) => whole);
    mustReturn(environment, visit, state);
    const { query } = await relyingParty.until(path);
    const { iss, sid, ...others } = fieldsOf(query);
    must(iss === issuer, `iss is ${iss}`);
    must(sid !== undefined && sid === idToken.claims['sid'], 'sid is not that of the ID token');
    warnUnless(Object.keys(others).length === 0, `unexpected parameters: ${Object.keys(others).join(', ')}`);
    await mustBeSignedOut(environment);
  },
});

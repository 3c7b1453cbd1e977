import { mustBeSignedOut, mustReturn, signOut } from '../steps/logout.ts';
import { defineModule } from '../steps/module.ts';
import { fieldsOf } from '../steps/relying_party.ts';
import { verifySignature } from '../steps/validate_id_token.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-backchannel-rp-initiated-logout',
  summary: 'A sign-out tells the client by a logout token.',
  async run(environment) {
    const { relyingParty, issuer, warnUnless } = environment;
    const path = '/test/a/limen/backchannel_logout';
    const client = await environment.register({
      backchannel_logout_uri: relyingParty.secureOrigin + path,
      backchannel_logout_session_required: true,
    });
    const { visit, state, idToken } = await signOut({ ...environment, client }, (whole) => whole);
    mustReturn(environment, visit, state);
    const { method, form } = await relyingParty.until(path);
    must(method === 'POST', `the logout token came by ${method}`);
    const { logout_token: token = '', ...others } = fieldsOf(form);
    warnUnless(Object.keys(others).length === 0, `unexpected parameters: ${Object.keys(others).join(', ')}`);
    const claims = await verifySignature(environment, token);
    must(claims['iss'] === issuer, `iss is ${String(claims['iss'])}`);
    must([claims['aud']].flat().includes(client.clientId), 'aud is not the client');
    must(typeof claims['iat'] === 'number' && typeof claims['jti'] === 'string', 'iat or jti is missing');
    const events = JSON.stringify(claims['events']);
    must(events === '{"http://schemas.openid.net/event/backchannel-logout":{}}', `events are ${events}`);
    must(claims['nonce'] === undefined, 'there is a nonce');
    must(claims['sub'] !== undefined || claims['sid'] !== undefined, 'neither sub nor sid');
    must(claims['sub'] === undefined || claims['sub'] === idToken.subject, 'sub is not that of the ID token');
    must(claims['sid'] === undefined || claims['sid'] === idToken.claims['sid'], 'sid is not that of the ID token');
    await mustBeSignedOut(environment);
  },
});

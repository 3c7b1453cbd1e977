import { authorizationRequest, authorize } from '../steps/authorize.ts';
import { textsOf } from '../steps/json.ts';
import { defineModule } from '../steps/module.ts';
import { finishSignIn } from '../steps/sign_in.ts';
import { requestUserinfo } from '../steps/userinfo.ts';
import { verifySignature } from '../steps/validate_id_token.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-userinfo-rs256',
  summary: 'Userinfo is signed for a client that asks for it.',
  async run(environment) {
    const listed = textsOf(environment.metadata, 'userinfo_signing_alg_values_supported');
    must(listed.includes('RS256'), 'userinfo_signing_alg_values_supported lacks RS256');
    const client = await environment.register({ userinfo_signed_response_alg: 'RS256' });
    const request = authorizationRequest(environment, {}, client);
    const { tokens, idToken } = await finishSignIn(environment, request, await authorize(environment, request), {
      skipUserinfo: true,
    });
    const response = await requestUserinfo(environment, tokens.accessToken);
    must(response.status === 200, `userinfo answers ${response.status}`);
    const type = response.headers.get('content-type') ?? '';
    must(/^application\/jwt *(;|$)/i.test(type), `userinfo comes as ${type}`);
    const claims = await verifySignature(environment, await response.text());
    must(claims['sub'] === idToken.subject, 'sub of userinfo is not sub of the ID token');
    must(claims['iss'] === environment.issuer, `iss of userinfo is ${String(claims['iss'])}`);
    const audience = Array.isArray(claims['aud']) ? claims['aud'] : [claims['aud']];
    must(audience.includes(client.clientId), 'aud of userinfo is not the client');
  },
});

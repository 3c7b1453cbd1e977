import { randomUUID } from 'node:crypto';
import { authorizationRequest, authorize } from '../steps/authorize.ts';
import { signWith } from '../steps/client_key.ts';
import { textsOf } from '../steps/json.ts';
import { defineModule } from '../steps/module.ts';
import { finishSignIn } from '../steps/sign_in.ts';
import { skipIf } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-request-uri-signed-rs256',
  summary: 'A signed request object by reference is fetched and honoured.',
  async run(environment) {
    const { relyingParty } = environment;
    const { key } = environment.client;
    const listed = textsOf(environment.metadata, 'request_object_signing_alg_values_supported');
    skipIf(!listed.includes('RS256'), "'RS256' is not listed in request_object_signing_alg_values_supported");
    const request_uri = `${relyingParty.addressOf('request')}#${randomUUID()}`;
    const client = await environment.register({ request_uris: [request_uri], request_object_signing_alg: 'RS256' });
    const request = authorizationRequest(environment, {}, client);
    const now = environment.now();
    const claims = { ...request.parameters, iss: client.clientId, aud: environment.issuer, iat: now, exp: now + 300 };
    const body = await signWith(key, claims);
    relyingParty.publish('request', { type: 'application/oauth-authz-req+jwt', body });
    const { client_id = '', response_type = '', scope = '' } = request.parameters;
    const visit = await authorize(environment, { parameters: { client_id, response_type, scope, request_uri } });
    await finishSignIn(environment, request, visit);
  },
});

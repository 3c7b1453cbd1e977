import { authorizationRequest, authorize } from '../steps/authorize.ts';
import { callbackFields } from '../steps/callback.ts';
import { defineModule } from '../steps/module.ts';
import { byRequestObject, skipUnlessUnsignedAllowed } from '../steps/request_object.ts';
import { finishSignIn } from '../steps/sign_in.ts';
import { skipIf } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported',
  summary: 'An unsigned request object is honoured, or refused as not supported.',
  async run(environment) {
    skipUnlessUnsignedAllowed(environment);
    const request = authorizationRequest(environment);
    const visit = await authorize(environment, { parameters: byRequestObject(environment, request) });
    const { error } = callbackFields(environment, visit);
    skipIf(error === 'request_not_supported', 'request objects are refused as request_not_supported');
    environment.warnUnless(environment.metadata['request_parameter_supported'] === true, 'discovery does not say so');
    await finishSignIn(environment, request, visit);
  },
});

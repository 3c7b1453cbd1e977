import { authorizationRequest, authorize } from '../steps/authorize.ts';
import { errorFrom } from '../steps/callback.ts';
import { defineModule } from '../steps/module.ts';
import { reviewErrorPage } from '../steps/screens.ts';

export const module = defineModule({
  name: 'oidcc-response-type-missing',
  summary: 'A request without response_type is refused, by redirect to where the client looks or on an error page.',
  async run(environment) {
    const request = authorizationRequest(environment, { response_type: null });
    const visit = await authorize(environment, request);
    if (visit.end.kind === 'page') reviewErrorPage(environment, visit, 'the error page for a missing response_type');
    else errorFrom(environment, request, visit, ['unsupported_response_type', 'invalid_request']);
  },
});

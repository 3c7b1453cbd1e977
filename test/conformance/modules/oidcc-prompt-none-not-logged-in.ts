import { authorizationRequest, authorize } from '../steps/authorize.ts';
import { errorFrom } from '../steps/callback.ts';
import { defineModule } from '../steps/module.ts';
import { needsPerson } from '../steps/needs_person.ts';
import { mustAskNothing } from '../steps/screens.ts';

export const module = defineModule({
  name: 'oidcc-prompt-none-not-logged-in',
  summary: 'prompt=none is refused by redirect where nobody is signed in.',
  async run(environment) {
    const request = authorizationRequest(environment, { prompt: 'none' });
    const visit = await authorize(environment, request);
    mustAskNothing(visit);
    errorFrom(environment, request, visit, needsPerson);
  },
});

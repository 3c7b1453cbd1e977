import { defineModule } from '../steps/module.ts';
import { skipUnlessUnsignedAllowed } from '../steps/request_object.ts';
import { must } from '../steps/verdict.ts';

export const module = defineModule({
  name: 'oidcc-request-uri-unsigned',
  summary: 'An unsigned request object by reference is honoured only where it is offered.',
  async run(environment) {
    skipUnlessUnsignedAllowed(environment);
    must(false, 'unsigned request objects are offered');
  },
});

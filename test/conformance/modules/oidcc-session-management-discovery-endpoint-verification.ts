import { endpoint, mustBeSecure } from '../steps/discovery.ts';
import { defineModule } from '../steps/module.ts';
import { verifyMetadata } from '../steps/verify_metadata.ts';

export const module = defineModule({
  name: 'oidcc-session-management-discovery-endpoint-verification',
  summary: 'The discovery document offers it.',
  async run(environment) {
    verifyMetadata(environment);
    mustBeSecure('check_session_iframe', endpoint(environment, 'check_session_iframe'));
  },
});

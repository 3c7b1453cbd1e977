import { defineModule } from '../steps/module.ts';
import { verifyEndSession, verifyMetadata } from '../steps/verify_metadata.ts';

export const module = defineModule({
  name: 'oidcc-rp-initiated-logout-discovery-endpoint-verification',
  summary: 'The discovery document names the end session endpoint.',
  async run(environment) {
    verifyMetadata(environment);
    verifyEndSession(environment);
  },
});

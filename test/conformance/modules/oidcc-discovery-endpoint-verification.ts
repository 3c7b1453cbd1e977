import { defineModule } from '../steps/module.ts';
import { verifyMetadata } from '../steps/verify_metadata.ts';

export const module = defineModule({
  name: 'oidcc-discovery-endpoint-verification',
  summary: 'The discovery document says what OIDC Discovery requires of it.',
  async run(environment) {
    verifyMetadata(environment);
  },
});
